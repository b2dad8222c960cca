#include "server/limit_builder.h"

#include <utility>

namespace hangu::server {

/// What the limit of that name has counted by the same key, or new counts; noted in `kept`.
template <class Counts, class Limit, class MakeStats>
std::shared_ptr<Counts> LimitBuilder::counts_of(const Memories<Counts>& before,
                                                Memories<Counts>& kept, const Limit& limit,
                                                MakeStats make_stats) {
  Memory<Counts> memory{.counts = nullptr, .key = limit.key, .keys_max = limit.keys_max};
  const auto found = before.find(limit.name);
  if (found != before.end() && found->second.key == limit.key &&
      found->second.keys_max == limit.keys_max) {
    memory = found->second;
  } else {
    memory.counts = std::make_shared<Counts>(limit.keys_max, random_.next(), make_stats());
  }
  return kept.emplace(limit.name, std::move(memory)).first->second.counts;
}

namespace {

/// Those that are in force, or pretend to be.
template <class Limit>
std::vector<std::shared_ptr<const Limit>> limits_of(
    const std::vector<uint32_t>& numbers, const std::vector<std::shared_ptr<const Limit>>& all) {
  std::vector<std::shared_ptr<const Limit>> own;
  for (const uint32_t number : numbers) {
    if (all[number]->config().mode != config::Mode::kOff) {
      own.push_back(all[number]);
    }
  }
  return own;
}

}  // namespace

void LimitBuilder::build(const config::Config& config) {
  build_concurrency(config);
  build_bandwidth(config);
}

void LimitBuilder::build_concurrency(const config::Config& config) {
  concurrency_limits_.clear();
  Memories<filter::ConcurrencyCounts> kept;
  for (const config::ConcurrencyLimit& limit : config.concurrency_limits) {
    auto counts = counts_of(concurrency_counts_, kept, limit,
                            [&] { return registry_.concurrency_limit(limit.name); });
    concurrency_limits_.push_back(
        std::make_shared<filter::ConcurrencyLimit>(limit, std::move(counts)));
  }
  concurrency_counts_ = std::move(kept);
}

void LimitBuilder::build_bandwidth(const config::Config& config) {
  bandwidth_limits_.clear();
  Memories<filter::BandwidthCounts> kept;
  for (const config::BandwidthLimit& limit : config.bandwidth_limits) {
    auto counts = counts_of(bandwidth_counts_, kept, limit,
                            [&] { return registry_.bandwidth_limit(limit.name); });
    bandwidth_limits_.push_back(std::make_shared<filter::BandwidthLimit>(limit, std::move(counts)));
  }
  bandwidth_counts_ = std::move(kept);
}

void LimitBuilder::add_concurrency_limits(const config::Route& route,
                                          filter::FilterChain& chain) const {
  auto own = limits_of(route.concurrency_limits, concurrency_limits_);
  if (!own.empty()) {
    chain.add(std::make_shared<filter::ConcurrencyLimitFilter>(std::move(own)));
  }
}

void LimitBuilder::add_bandwidth_limits(const config::Route& route,
                                        filter::FilterChain& chain) const {
  auto own = limits_of(route.bandwidth_limits, bandwidth_limits_);
  if (!own.empty()) {
    chain.add(std::make_shared<filter::BandwidthLimitFilter>(std::move(own)));
  }
}

}  // namespace hangu::server
