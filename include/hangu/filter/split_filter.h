// SplitFilter: chooses one of the upstreams that share the requests of a route: the one that the
// request names, if it may; else the one that is there for its client or has a rule that takes it;
// else by the bucket of its key, of the cookie it got before, or at random. Counts what becomes of
// the requests of each.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hangu/config/config.h"
#include "hangu/filter/filter.h"
#include "hangu/filter/request_key.h"
#include "hangu/policy/facts_match.h"
#include "hangu/policy/release_share.h"
#include "hangu/policy/release_split.h"
#include "hangu/policy/traffic_split.h"
#include "hangu/stats/split_stats.h"

namespace hangu::filter {

class SplitFilter final : public Filter {
 public:
  struct Share {
    std::string name;       // of the upstream
    uint32_t upstream = 0;  // index in Config::upstreams
    uint32_t cluster = 0;   // its number, see RouteRuntime::cluster
    std::shared_ptr<stats::SplitPartStats> stats;
  };

  /// `shares` as split.upstreams, whose weights are not all 0. `release`: of the split's ramp;
  /// nullptr: it has none. `split` outlives the filter.
  SplitFilter(std::vector<Share> shares, const config::Split& split,
              std::shared_ptr<const policy::ReleaseShare> release);

  std::string_view name() const override { return "split"; }

  uint8_t hooks() const override;

  FilterStatus on_request_headers(Stream& stream) const noexcept override;
  FilterStatus on_response_headers(Stream& stream) const noexcept override;
  void on_stream_end(Stream& stream) const noexcept override;

 private:
  /// Requests that a share gets whatever the weights.
  struct Rule {
    uint32_t share;
    const config::IdentityMatch* who;
    std::optional<policy::FactsMatch> facts;
  };

  struct Release {
    policy::ReleaseSplit split;
    std::shared_ptr<const policy::ReleaseShare> share;
  };

  static constexpr uint32_t kNone = UINT32_MAX;

  void compile_rules(const config::Split& split);
  uint32_t named(const Stream& stream) const noexcept;
  uint32_t reserved(const Stream& stream) const noexcept;
  uint32_t bucket(Stream& stream) const noexcept;
  uint32_t by_weight(Stream& stream) const noexcept;

  std::vector<Share> shares_;
  std::vector<Rule> rules_;
  policy::TrafficSplit split_;
  std::optional<Release> release_;
  config::Split::Override choice_;
  std::optional<RequestKey> key_;
  std::string cookie_;  // sticky; empty: none
  std::string cookie_attributes_;
};

}  // namespace hangu::filter
