// LimitBuilder: the concurrency and bandwidth limits of a config, compiled, and what they have
// counted, which goes on over generations. Control thread only.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "hangu/config/config.h"
#include "hangu/filter/bandwidth_limit_filter.h"
#include "hangu/filter/concurrency_limit_filter.h"
#include "hangu/filter/filter_chain.h"
#include "hangu/stats/registry.h"

#include "server/random.h"

namespace hangu::server {

class LimitBuilder {
 public:
  explicit LimitBuilder(stats::Registry& registry)
      : registry_(registry) {}

  /// The limits of a new generation. Those that go on by the same key keep what they have counted.
  void build(const config::Config& config);

  /// Those of a route of that generation.
  void add_concurrency_limits(const config::Route& route, filter::FilterChain& chain) const;
  void add_bandwidth_limits(const config::Route& route, filter::FilterChain& chain) const;

 private:
  /// The counts of a limit and what they were made for.
  template <class Counts>
  struct Memory {
    std::shared_ptr<Counts> counts;
    std::vector<config::KeyPart> key;
    uint64_t keys_max = 0;
  };

  template <class Counts>
  using Memories = std::unordered_map<std::string, Memory<Counts>>;

  void build_concurrency(const config::Config& config);
  void build_bandwidth(const config::Config& config);

  template <class Counts, class Limit, class MakeStats>
  std::shared_ptr<Counts> counts_of(const Memories<Counts>& before, Memories<Counts>& kept,
                                    const Limit& limit, MakeStats make_stats);

  stats::Registry& registry_;
  Random random_;
  Memories<filter::ConcurrencyCounts> concurrency_counts_;
  std::vector<std::shared_ptr<const filter::ConcurrencyLimit>> concurrency_limits_;
  Memories<filter::BandwidthCounts> bandwidth_counts_;
  std::vector<std::shared_ptr<const filter::BandwidthLimit>> bandwidth_limits_;
};

}  // namespace hangu::server
