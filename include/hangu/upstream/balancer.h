// Balancer: the choice among the endpoints of one upstream on one shard, by the policy configured:
// priorities, weights, health, slow start, panic, sticky cookies. What a choice needs is made when
// the config, the endpoints or their health change; a choice itself allocates nothing and looks at
// few of them. Owned by its Cluster.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "hangu/config/config.h"
#include "hangu/filter/request_key.h"
#include "hangu/policy/choice.h"
#include "hangu/policy/endpoint_health.h"
#include "hangu/policy/maglev.h"
#include "hangu/policy/priority_levels.h"
#include "hangu/policy/ring_hash.h"
#include "hangu/policy/weighted_turn.h"
#include "hangu/upstream/sticky_cookies.h"

namespace hangu::upstream {

class Endpoint;

class Balancer {
 public:
  /// `version` moves with the health of the endpoints.
  explicit Balancer(std::shared_ptr<const policy::PoolVersion> version);

  void configure(const config::Balancing& config);
  /// They stay valid until the next call.
  void set_endpoints(std::span<const std::unique_ptr<Endpoint>> endpoints);

  /// Endpoints that a request has been to, the latest last. They may be gone.
  using Tried = std::span<const Endpoint* const>;

  /// An endpoint for a request: one that it has not been to, while there is one; then any but the
  /// latest. nullptr: nobody may be asked.
  Endpoint* pick(Tried tried, filter::Stream& stream, int64_t now_ns) noexcept;

  /// Has the client come back to where it was answered.
  void lead_back(filter::Stream& stream, const Endpoint& endpoint) const noexcept {
    if (sticky_.enabled()) {
      sticky_.lead_back(stream, endpoint);
    }
  }

 private:
  /// The endpoints of one priority.
  struct Level {
    uint32_t priority = 0;
    uint32_t load_percent = 0;
    std::vector<uint32_t> members;  // indices
    std::vector<uint32_t> usable;   // those that may be asked now, with
    std::vector<uint32_t> weights;  // in thousandths
    uint64_t weight_sum = 0;
    bool alike = true;  // the weights are
    size_t turn = 0;    // when they are alike
    policy::WeightedTurn weighted_turn;
    policy::WeightedSample sample;
    policy::Maglev table;   // of positions in `members`
    policy::RingHash ring;  // the same
  };

  bool hashes() const noexcept;
  void make_levels();
  void make_table(Level& level) const;
  void look(int64_t now_ns);
  void look_at(Level& level, bool panic, int64_t now_ns);
  void look_again_at(int64_t when_ns) noexcept;
  Endpoint* home(Tried tried, const filter::Stream& stream, int64_t now_ns) const noexcept;
  Endpoint* choose(Level& level, Tried tried, filter::Stream& stream, std::optional<uint64_t> key,
                   int64_t now_ns) noexcept;
  Endpoint* by_key(Level& level, Tried tried, uint64_t key) const noexcept;

  static bool was_tried(Tried tried, const Endpoint* endpoint) noexcept {
    return std::find(tried.begin(), tried.end(), endpoint) != tried.end();
  }

  Endpoint* first_untried(const Level& level, Tried tried) const noexcept;
  Endpoint* in_turn(Level& level, Tried tried) noexcept;
  template <class Cost>
  Endpoint* better_of_two(Level& level, Tried tried, uint64_t random, Cost cost) const noexcept;

  std::shared_ptr<const policy::PoolVersion> version_;
  config::Balancing config_;
  std::optional<filter::RequestKey> key_;  // with hashes
  std::vector<Endpoint*> endpoints_;
  std::vector<uint8_t> usable_;  // of each
  std::vector<Level> levels_;    // the lowest priority first
  StickyCookies sticky_;
  Endpoint* sole_ = nullptr;  // when there is no choice
  uint64_t seen_ = 0;         // of `version_`
  int64_t look_again_ns_ = 0;
};

}  // namespace hangu::upstream
