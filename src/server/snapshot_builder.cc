#include "server/snapshot_builder.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "hangu/filter/access_log_filter.h"
#include "hangu/filter/audit_filter.h"
#include "hangu/filter/auth_filter.h"
#include "hangu/filter/client_filter.h"
#include "hangu/filter/compression_filter.h"
#include "hangu/filter/cors_filter.h"
#include "hangu/filter/fault_filter.h"
#include "hangu/filter/grpc_web_filter.h"
#include "hangu/filter/header_edit_filter.h"
#include "hangu/filter/mirror_filter.h"
#include "hangu/filter/openapi_filter.h"
#include "hangu/filter/overload_filter.h"
#include "hangu/filter/plugin_filter.h"
#include "hangu/filter/rate_limit_filter.h"
#include "hangu/filter/redirect_filter.h"
#include "hangu/filter/respond_filter.h"
#include "hangu/filter/rewrite_filter.h"
#include "hangu/filter/route_filter.h"
#include "hangu/filter/split_filter.h"
#include "hangu/policy/release.h"

namespace hangu::server {
namespace {

/// Whether `after` is `before` with nothing or something appended.
template <class T>
bool extends(const std::vector<T>& before, const std::vector<T>& after) {
  return before.size() <= after.size() && std::equal(before.begin(), before.end(), after.begin());
}

/// Whether what build_route() reads of a config beside the route is as it was, so that the runtime
/// of an unchanged route is, too.
bool same_for_routes(const config::Config& before, const config::Config& after) {
  // Fails to compile when Config has a new member: name it here, and compare it below if it is
  // anything to a route.
  const auto& [source_path, generation, workers, pin_workers, event_loop, log_level, node,
               state_dir, listeners, upstreams, stores, consumers, authenticators, forward_auths,
               rate_limits, concurrency_limits, bandwidth_limits, plugins, routes, access_log,
               audit, compliance, admin, shutdown, upgrade, reload, buffers, overload,
               certificate_alarm, config_center] = before;
  return extends(upstreams, after.upstreams) && extends(stores, after.stores) &&
         extends(forward_auths, after.forward_auths) && extends(rate_limits, after.rate_limits) &&
         extends(concurrency_limits, after.concurrency_limits) &&
         extends(bandwidth_limits, after.bandwidth_limits) && extends(plugins, after.plugins) &&
         overload == after.overload && consumers == after.consumers &&
         authenticators == after.authenticators;
}

}  // namespace

std::shared_ptr<const filter::Snapshot> SnapshotBuilder::build(
    std::shared_ptr<const config::Config> config, const Logs& logs, const TlsContexts& tls,
    const Opened& opened) {
  const ClusterStores no_stores;
  const plugin::Plan no_plugins;
  const ClusterStores& stores = opened.stores != nullptr ? *opened.stores : no_stores;
  const plugin::Plan& plugins = opened.plugins != nullptr ? *opened.plugins : no_plugins;
  auto snapshot = std::make_shared<filter::Snapshot>();
  snapshot->entry.add(std::make_shared<filter::RouteFilter>());
  if (logs.access != nullptr) {
    snapshot->entry.add(std::make_shared<filter::AccessLogFilter>(*logs.access));
  }
  if (logs.audit != nullptr) {
    snapshot->entry.add(std::make_shared<filter::AuditFilter>(*logs.audit, config->audit.requests));
  }
  if (!config->authenticators.empty() || !config->forward_auths.empty()) {
    snapshot->entry.add(std::make_shared<filter::IdentityFieldsFilter>(config->authenticators));
  }
  const auto number = [this](const std::string& name) { return cluster_number(name); };
  identity_.build(*config, {.cluster_number = number,
                            .store_of = [&stores](const std::string& name) -> filter::ClaimStore* {
                              const auto found = stores.find(name);
                              return found != stores.end() ? found->second.get() : nullptr;
                            }});
  forward_auths_.build(
      *config,
      {.consumers = identity_.consumers(), .secret = identity_.secret(), .cluster_number = number});
  for (const config::Listener& listener : config->listeners) {
    snapshot->listeners.push_back(
        {.config = &listener,
         .trusted_proxies = policy::CidrSet(listener.trusted_proxies),
         .proxy_protocol_from = policy::CidrSet(listener.proxy_protocol_from)});
    if (const auto found = tls.listeners.find(listener.name); found != tls.listeners.end()) {
      snapshot->listeners.back().tls = found->second;
    }
  }
  limits_.build(*config);
  build_routes(*config, build_rate_limits(*config, stores), plugins, *snapshot);
  libraries_ = plugins.libraries();
  snapshot->answers_preflights = has_cors(config->routes);
  snapshot->config = std::move(config);
  if (current_ != nullptr) {
    retired_.push_back(std::move(current_));
  }
  current_ = std::move(snapshot);
  return current_;
}

void SnapshotBuilder::release_unused() {
  std::erase_if(retired_, [](const auto& snapshot) { return snapshot.use_count() == 1; });
  std::erase_if(listed_, [](const auto& entry) { return entry.second.expired(); });
}

namespace {

/// What was taken of the limit stays taken.
void rescale(const filter::RateLimit& before, const filter::RateLimit& after) {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  policy::RateTable* const table = after.counts().table.get();
  if (table != nullptr && before.rate() != after.rate()) {
    table->rescale(before.rate(), after.rate(), now.count());
  }
}

/// Whether counts made for one go on for the other.
bool count_alike(const config::RateLimit& one, const config::RateLimit& other) {
  return one.key == other.key && one.keys_max == other.keys_max && one.scope == other.scope &&
         one.accuracy == other.accuracy && one.cost.kind == other.cost.kind &&
         (one.quota.limit != 0) == (other.quota.limit != 0) && one.quota.per == other.quota.per &&
         one.quota.offset_minutes == other.quota.offset_minutes;
}

}  // namespace

/// As config.rate_limits. Those that go on by the same key keep what they have counted.
SnapshotBuilder::RateLimits SnapshotBuilder::build_rate_limits(const config::Config& config,
                                                               const ClusterStores& stores) {
  RateLimits limits;
  std::unordered_map<std::string, RateLimitMemory> kept;
  for (const config::RateLimit& limit : config.rate_limits) {
    RateLimitMemory memory = rate_limits_[limit.name];
    if (memory.limit == nullptr || !count_alike(memory.limit->config(), limit)) {
      memory = {.counts = make_counts(limit), .limit = nullptr};
    }
    const filter::RateLimit::Place place = place_of(config, limit, stores);
    if (memory.limit == nullptr || memory.limit->config() != limit ||
        memory.limit->store() != place.store) {
      const auto before = std::exchange(
          memory.limit, std::make_shared<filter::RateLimit>(limit, memory.counts, place));
      if (before != nullptr) {
        rescale(*before, *memory.limit);
      }
    }
    limits.push_back(memory.limit);
    kept.emplace(limit.name, std::move(memory));
  }
  rate_limits_ = std::move(kept);
  tell_stores(limits, config, stores);
  quotas_.track(limits);
  return limits;
}

std::shared_ptr<filter::RateLimitCounts> SnapshotBuilder::make_counts(
    const config::RateLimit& limit) {
  auto counts = std::make_shared<filter::RateLimitCounts>(limit, registry_.shards(), rate_seed_,
                                                          registry_.rate_limit(limit.name));
  if (counts->quota != nullptr) {
    quotas_.restore(limit, *counts);
  }
  return counts;
}

void SnapshotBuilder::restore_quotas() {
  for (const auto& [name, memory] : rate_limits_) {
    if (memory.counts->quota != nullptr) {
      quotas_.restore(memory.limit->config(), *memory.counts);
    }
  }
}

filter::RateLimit::Place SnapshotBuilder::place_of(const config::Config& config,
                                                   const config::RateLimit& limit,
                                                   const ClusterStores& stores) const {
  filter::RateLimit::Place place{.shards = registry_.shards()};
  if (limit.scope == config::RateScope::kCluster) {
    ClusterStore& store = *stores.at(config.stores[limit.cluster.store].name);
    place.store = &store;
    place.number = store.number_of(limit.name);
  }
  return place;
}

void SnapshotBuilder::tell_stores(const RateLimits& limits, const config::Config& config,
                                  const ClusterStores& stores) {
  for (const auto& [name, store] : stores) {
    RateLimits by_number;
    for (const auto& limit : limits) {
      const uint32_t used = limit->config().cluster.store;
      if (used != config::kNoStore && config.stores[used].name == name) {
        const uint32_t number = store->number_of(limit->config().name);
        by_number.resize(std::max<size_t>(by_number.size(), number + 1));
        by_number[number] = limit;
      }
    }
    store->set_limits(std::move(by_number));
  }
}

bool SnapshotBuilder::has_cors(const config::RouteList& routes) {
  const auto any = [&routes](size_t begin, size_t end) {
    while (begin < end && !routes[begin].cors.enabled) {
      ++begin;
    }
    return begin < end;
  };
  const std::vector<bool>& pages = cors_pages_.update(routes, any);
  return std::find(pages.begin(), pages.end(), true) != pages.end();
}

/// Tells the registry which names the generation before had and this one has not.
void SnapshotBuilder::note_removed(const policy::RouteTable::Change& change,
                                   const policy::RouteTable& table,
                                   const SharedList<filter::RouteRuntime>& before) {
  std::unordered_set<std::string_view> names;
  for (const uint32_t slot : change.added) {
    names.insert(table.route(slot)->name);
  }
  for (const std::vector<uint32_t>* slots : {&change.added, &change.removed}) {
    for (const uint32_t slot : *slots) {
      if (slot < before.size() && before.item(slot) != nullptr &&
          !names.contains(before[slot].config->name)) {
        registry_.route_removed(before[slot].config->name);
        breakers_.erase(before[slot].config->name);
        releases_.erase(before[slot].config->name);
      }
    }
  }
}

/// The table of routes and what they do, with all that the generation before has alike.
void SnapshotBuilder::build_routes(const config::Config& config, const RateLimits& limits,
                                   const plugin::Plan& plugins, filter::Snapshot& snapshot) {
  if (current_ != nullptr) {
    snapshot.route_table = current_->route_table;
    snapshot.routes = current_->routes;
  }
  const policy::RouteTable& table = snapshot.route_table;
  policy::RouteTable::Change change = snapshot.route_table.update(config.routes);
  note_removed(change, table, snapshot.routes);
  while (snapshot.routes.size() < table.slots()) {
    snapshot.routes.append(nullptr);
  }
  for (const uint32_t slot : change.removed) {
    if (snapshot.routes.item(slot) != nullptr) {
      snapshot.routes.set(slot, nullptr);
    }
  }
  if (current_ != nullptr && (identity_.claims_changed() || identity_.sessions_rekeyed() ||
                              !same_for_routes(*current_->config, config))) {
    change.added.clear();
    for (uint32_t slot = 0; slot < table.slots(); ++slot) {
      if (table.holds_route(slot)) {
        change.added.push_back(slot);
      }
    }
  } else if (plugins.libraries() != libraries_) {
    add_swapped(config, table, plugins, change.added);
  }
  for (const uint32_t slot : change.added) {
    snapshot.routes.set(slot, build_route(config, table.route(slot), limits, plugins));
  }
}

/// The routes with a plugin of which another version is in force now.
void SnapshotBuilder::add_swapped(const config::Config& config, const policy::RouteTable& table,
                                  const plugin::Plan& plugins, std::vector<uint32_t>& slots) const {
  const auto swapped = [&](const config::PluginUse& use) {
    const std::string& name = config.plugins[use.plugin].name;
    const auto before = libraries_.find(name);
    return before == libraries_.end() || before->second != plugins.libraries().at(name);
  };
  const std::unordered_set<uint32_t> known(slots.begin(), slots.end());
  for (uint32_t slot = 0; slot < table.slots(); ++slot) {
    if (table.holds_route(slot) && !known.contains(slot)) {
      const std::vector<config::PluginUse>& uses = table.route(slot)->plugins;
      if (std::any_of(uses.begin(), uses.end(), swapped)) {
        slots.push_back(slot);
      }
    }
  }
}

/// One that goes on keeps its state.
std::shared_ptr<policy::CircuitBreaker> SnapshotBuilder::breaker_of(const config::Route& route) {
  if (!route.circuit_breaker.enabled || route.circuit_breaker.mode == config::Mode::kOff) {
    breakers_.erase(route.name);
    return nullptr;
  }
  std::shared_ptr<policy::CircuitBreaker>& breaker = breakers_[route.name];
  if (breaker == nullptr) {
    breaker = std::make_shared<policy::CircuitBreaker>(registry_.shards());
  }
  return breaker;
}

/// Reads nothing of the config but the route and what same_for_routes() looks at.
std::shared_ptr<const filter::RouteRuntime> SnapshotBuilder::build_route(
    const config::Config& config, const std::shared_ptr<const config::Route>& shared,
    const RateLimits& limits, const plugin::Plan& plugins) {
  const config::Route& route = *shared;
  auto runtime = std::make_shared<filter::RouteRuntime>();
  filter::FilterChain& chain = runtime->chain;
  runtime->config = &route;
  runtime->route = shared;
  runtime->stats = registry_.route(route.name);
  runtime->breaker = breaker_of(route);
  if (route.upstream != config::kNoUpstream) {
    runtime->cluster = cluster_number(config.upstreams[route.upstream].name);
  }
  // Routes of high priority that answer by themselves, such as health checks, are always served.
  const config::Overload& overload = config.overload;
  if (overload.enabled && overload.mode != config::Mode::kOff &&
      !(route.priority == config::Priority::kHigh && route.respond.enabled)) {
    chain.add(std::make_shared<filter::OverloadFilter>(overload, route.priority));
  }
  add_admission(route, limits, chain);
  add_plugins(config, route, plugins, chain);
  add_action(config, route, chain);
  return runtime;
}

/// Who gets in, and what happens to all that do. Compression is the last that a response passes.
void SnapshotBuilder::add_admission(const config::Route& route, const RateLimits& limits,
                                    filter::FilterChain& chain) {
  if (route.compression.enabled) {
    chain.add(std::make_shared<filter::CompressionFilter>(route.compression));
  }
  if (route.cors.enabled && route.cors.mode != config::Mode::kOff) {
    chain.add(std::make_shared<filter::CorsFilter>(route.cors));
  }
  if (route.clients != config::Clients{} && route.clients.mode != config::Mode::kOff) {
    add_client_filter(route.clients, chain);
  }
  identity_.add_filters(route, forward_auths_.filter_of(route), chain);
  limits_.add_concurrency_limits(route, chain);
  RateLimits own;
  for (const uint32_t limit : route.rate_limits) {
    if (limits[limit]->config().mode != config::Mode::kOff) {
      own.push_back(limits[limit]);
    }
  }
  if (!own.empty()) {
    chain.add(std::make_shared<filter::RateLimitFilter>(std::move(own)));
  }
  limits_.add_bandwidth_limits(route, chain);
  identity_.add_body_filter(route, chain);
  if (route.openapi.enabled && route.openapi.mode != config::Mode::kOff) {
    chain.add(std::make_shared<filter::OpenApiFilter>(route.openapi));
  }
  if (route.fault.enabled && route.fault.mode != config::Mode::kOff) {
    chain.add(std::make_shared<filter::FaultFilter>(route.fault));
  }
}

void SnapshotBuilder::add_plugins(const config::Config& config, const config::Route& route,
                                  const plugin::Plan& plugins, filter::FilterChain& chain) {
  for (uint32_t place = 0; place < route.plugins.size(); ++place) {
    const config::PluginUse& use = route.plugins[place];
    const config::Plugin& plugin = config.plugins[use.plugin];
    if (use.mode != config::Mode::kOff) {
      chain.add(std::make_shared<filter::PluginFilter>(
          plugins.instance(plugin.name, use.config.json),
          filter::PluginFilterOptions{.mode = use.mode,
                                      .on_error = plugin.on_error,
                                      .budget = plugin.budget,
                                      .place = place}));
    }
  }
}

/// What becomes of a request that has been let in.
void SnapshotBuilder::add_action(const config::Config& config, const config::Route& route,
                                 filter::FilterChain& chain) {
  if (route.redirect.enabled) {
    chain.add(std::make_shared<filter::RedirectFilter>(route));
  } else if (route.respond.enabled) {
    chain.add(std::make_shared<filter::RespondFilter>(route.respond));
  } else if (route.rewrite != config::Rewrite{}) {
    chain.add(std::make_shared<filter::RewriteFilter>(route));
  }
  if (route.split.enabled) {
    add_split_filter(config, route, chain);
  }
  auto edit =
      std::make_shared<filter::HeaderEditFilter>(route.request_headers, route.response_headers);
  if (edit->hooks() != 0) {
    chain.add(std::move(edit));
  }
  if (route.grpc_web) {
    chain.add(std::make_shared<filter::GrpcWebFilter>());
  }
  if (route.mirror.enabled) {
    chain.add(std::make_shared<filter::MirrorFilter>(
        route.mirror, cluster_number(config.upstreams[route.mirror.upstream].name)));
  }
}

void SnapshotBuilder::add_client_filter(const config::Clients& clients,
                                        filter::FilterChain& chain) {
  chain.add(std::make_shared<filter::ClientFilter>(clients, listed(clients.allow_file),
                                                   listed(clients.deny_file)));
}

void SnapshotBuilder::add_split_filter(const config::Config& config, const config::Route& route,
                                       filter::FilterChain& chain) {
  std::vector<filter::SplitFilter::Share> shares;
  for (const config::Split::Part& part : route.split.upstreams) {
    const std::string& name = config.upstreams[part.upstream].name;
    shares.push_back({.name = name,
                      .upstream = part.upstream,
                      .cluster = cluster_number(name),
                      .stats = registry_.split_part(
                          {.route = route.name, .upstream = name, .version = part.version})});
  }
  chain.add(std::make_shared<filter::SplitFilter>(std::move(shares), route.split,
                                                  release_of(config, route)));
}

/// One that goes on keeps its share; another one begins without any until the control thread has
/// looked at it, so that no version has the share of the one before.
std::shared_ptr<policy::ReleaseShare> SnapshotBuilder::release_of(const config::Config& config,
                                                                  const config::Route& route) {
  std::string identity = policy::release_identity(config, route.split);
  if (identity.empty()) {
    releases_.erase(route.name);
    return nullptr;
  }
  ReleaseMemory& memory = releases_[route.name];
  if (memory.identity != identity) {
    memory = {.identity = std::move(identity), .share = std::make_shared<policy::ReleaseShare>()};
  }
  return memory.share;
}

/// The networks of a file, compiled once for all who name it; nullptr: no file.
std::shared_ptr<const policy::CidrSet> SnapshotBuilder::listed(const config::NetworkFile& file) {
  if (file.networks == nullptr) {
    return nullptr;
  }
  std::weak_ptr<const policy::CidrSet>& known = listed_[file.hash];
  std::shared_ptr<const policy::CidrSet> set = known.lock();
  if (set == nullptr) {
    set = std::make_shared<const policy::CidrSet>(*file.networks);
    known = set;
  }
  return set;
}

}  // namespace hangu::server
