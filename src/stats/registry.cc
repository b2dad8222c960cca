#include "hangu/stats/registry.h"

namespace hangu::stats {
namespace {

template <class T>
std::shared_ptr<T> intern(Registry::ByName<T>& names, std::string_view name, uint32_t shards) {
  const auto found = names.find(name);
  if (found != names.end()) {
    return found->second;
  }
  return names.emplace(name, std::make_shared<T>(shards)).first->second;
}

template <class Names>
void prune_names(Names& names) {
  std::erase_if(names, [](const auto& entry) { return entry.second.use_count() == 1; });
}

}  // namespace

std::shared_ptr<RouteStats> Registry::route(std::string_view name) {
  const std::lock_guard lock(mutex_);
  return intern(routes_, name, shards_);
}

std::shared_ptr<UpstreamStats> Registry::upstream(std::string_view name) {
  const std::lock_guard lock(mutex_);
  return intern(upstreams_, name, shards_);
}

std::shared_ptr<AuthStats> Registry::authenticator(std::string_view name) {
  const std::lock_guard lock(mutex_);
  return intern(authenticators_, name, shards_);
}

std::shared_ptr<ForwardAuthStats> Registry::forward_auth(std::string_view name) {
  const std::lock_guard lock(mutex_);
  return intern(forward_auths_, name, shards_);
}

std::shared_ptr<RateLimitStats> Registry::rate_limit(std::string_view name) {
  const std::lock_guard lock(mutex_);
  return intern(rate_limits_, name, shards_);
}

void Registry::route_removed(std::string_view name) {
  const std::lock_guard lock(mutex_);
  removed_routes_.emplace(name);
}

std::shared_ptr<StoreStats> Registry::store(std::string_view name) {
  const std::lock_guard lock(mutex_);
  const auto found = stores_.find(name);
  return found != stores_.end()
             ? found->second
             : stores_.emplace(name, std::make_shared<StoreStats>()).first->second;
}

std::shared_ptr<ConcurrencyLimitStats> Registry::concurrency_limit(std::string_view name) {
  const std::lock_guard lock(mutex_);
  return intern(concurrency_limits_, name, shards_);
}

std::shared_ptr<BandwidthLimitStats> Registry::bandwidth_limit(std::string_view name) {
  const std::lock_guard lock(mutex_);
  return intern(bandwidth_limits_, name, shards_);
}

std::shared_ptr<PluginStats> Registry::plugin(std::string_view name) {
  const std::lock_guard lock(mutex_);
  return intern(plugins_, name, shards_);
}

std::shared_ptr<SplitPartStats> Registry::split_part(const SplitPartName& name) {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<SplitPartStats>& stats = split_parts_[name];
  if (stats == nullptr) {
    stats = std::make_shared<SplitPartStats>(shards_);
  }
  return stats;
}

void Registry::prune() {
  const std::lock_guard lock(mutex_);
  std::erase_if(removed_routes_, [&](const std::string& name) {
    const auto found = routes_.find(name);
    if (found != routes_.end() && found->second.use_count() == 1) {
      routes_.erase(found);
    }
    return !routes_.contains(name);
  });
  prune_names(upstreams_);
  prune_names(rate_limits_);
  prune_names(stores_);
  prune_names(concurrency_limits_);
  prune_names(bandwidth_limits_);
  prune_names(authenticators_);
  prune_names(forward_auths_);
  prune_names(plugins_);
  prune_names(split_parts_);
}

Registry::ByName<RouteStats> Registry::routes() const {
  const std::lock_guard lock(mutex_);
  return routes_;
}

Registry::ByName<UpstreamStats> Registry::upstreams() const {
  const std::lock_guard lock(mutex_);
  return upstreams_;
}

Registry::ByName<AuthStats> Registry::authenticators() const {
  const std::lock_guard lock(mutex_);
  return authenticators_;
}

Registry::ByName<ForwardAuthStats> Registry::forward_auths() const {
  const std::lock_guard lock(mutex_);
  return forward_auths_;
}

Registry::ByName<RateLimitStats> Registry::rate_limits() const {
  const std::lock_guard lock(mutex_);
  return rate_limits_;
}

Registry::ByName<StoreStats> Registry::stores() const {
  const std::lock_guard lock(mutex_);
  return stores_;
}

Registry::ByName<ConcurrencyLimitStats> Registry::concurrency_limits() const {
  const std::lock_guard lock(mutex_);
  return concurrency_limits_;
}

Registry::ByName<BandwidthLimitStats> Registry::bandwidth_limits() const {
  const std::lock_guard lock(mutex_);
  return bandwidth_limits_;
}

Registry::ByName<PluginStats> Registry::plugins() const {
  const std::lock_guard lock(mutex_);
  return plugins_;
}

Registry::SplitParts Registry::split_parts() const {
  const std::lock_guard lock(mutex_);
  return split_parts_;
}

}  // namespace hangu::stats
