// Registry: owns every statistic of the gateway, by shard, route and upstream. Names are interned
// here when a config is built, so that counters survive a reload and nothing is looked up per
// request. Any thread; a mutex guards the names only.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

#include "hangu/stats/overload_stats.h"
#include "hangu/stats/plugin_stats.h"
#include "hangu/stats/policy_stats.h"
#include "hangu/stats/route_stats.h"
#include "hangu/stats/shard_stats.h"
#include "hangu/stats/split_stats.h"
#include "hangu/stats/upstream_stats.h"

namespace hangu::stats {

class Registry {
 public:
  explicit Registry(uint32_t shards)
      : shards_(shards),
        shard_stats_(shards) {}

  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  uint32_t shards() const { return shards_; }

  ShardStats& shard(uint32_t id) { return shard_stats_.slot(id); }

  const ShardStats& shard(uint32_t id) const { return shard_stats_.slots()[id]; }

  OverloadStats& overload() { return overload_; }

  const OverloadStats& overload() const { return overload_; }

  /// The statistics of that name, made when there are none yet. They live at least as long as the
  /// pointer.
  std::shared_ptr<RouteStats> route(std::string_view name);
  std::shared_ptr<UpstreamStats> upstream(std::string_view name);
  std::shared_ptr<RateLimitStats> rate_limit(std::string_view name);
  std::shared_ptr<StoreStats> store(std::string_view name);
  std::shared_ptr<ConcurrencyLimitStats> concurrency_limit(std::string_view name);
  std::shared_ptr<BandwidthLimitStats> bandwidth_limit(std::string_view name);
  std::shared_ptr<AuthStats> authenticator(std::string_view name);
  std::shared_ptr<ForwardAuthStats> forward_auth(std::string_view name);
  std::shared_ptr<PluginStats> plugin(std::string_view name);
  std::shared_ptr<SplitPartStats> split_part(const SplitPartName& name);

  /// A route of that name is gone, or another now: prune() is to look at it. So that it need not
  /// look at 100,000 whenever one has changed.
  void route_removed(std::string_view name);

  /// Forgets names that nobody but the registry holds any more: what a reload removed, once its
  /// last request is done.
  void prune();

  template <class T>
  using ByName = std::map<std::string, std::shared_ptr<T>, std::less<>>;

  /// Copies, for readers.
  ByName<RouteStats> routes() const;
  ByName<UpstreamStats> upstreams() const;
  ByName<RateLimitStats> rate_limits() const;
  ByName<StoreStats> stores() const;
  ByName<ConcurrencyLimitStats> concurrency_limits() const;
  ByName<BandwidthLimitStats> bandwidth_limits() const;
  ByName<AuthStats> authenticators() const;
  ByName<ForwardAuthStats> forward_auths() const;
  ByName<PluginStats> plugins() const;

  using SplitParts = std::map<SplitPartName, std::shared_ptr<SplitPartStats>>;
  SplitParts split_parts() const;

 private:
  const uint32_t shards_;
  PerShard<ShardStats> shard_stats_;
  OverloadStats overload_;
  mutable std::mutex mutex_;
  ByName<RouteStats> routes_;
  std::set<std::string, std::less<>> removed_routes_;
  ByName<UpstreamStats> upstreams_;
  ByName<RateLimitStats> rate_limits_;
  ByName<StoreStats> stores_;
  ByName<ConcurrencyLimitStats> concurrency_limits_;
  ByName<BandwidthLimitStats> bandwidth_limits_;
  ByName<AuthStats> authenticators_;
  ByName<ForwardAuthStats> forward_auths_;
  ByName<PluginStats> plugins_;
  SplitParts split_parts_;
};

}  // namespace hangu::stats
