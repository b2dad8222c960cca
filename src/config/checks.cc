#include "config/checks.h"

#include <algorithm>
#include <unordered_map>

#include <fmt/format.h>

#include "hangu/config/duration.h"
#include "hangu/config/size.h"

#include "config/identity_checks.h"
#include "config/oidc_checks.h"
#include "config/rules.h"
#include "config/text.h"

namespace hangu::config {

const Node& child(const Node& node, std::string_view key) {
  const Node::Entry* entry = node.find(key);
  return entry == nullptr ? node : *entry->value;
}

const Node& element(const Node& root, std::string_view key, size_t index) {
  const Node& list = child(root, key);
  return index < list.items.size() ? *list.items[index] : list;
}

namespace {

void check_binds(Reader& reader, const Node& root, const Config& config) {
  std::unordered_map<std::string_view, size_t> seen;
  for (size_t i = 0; i < config.listeners.size(); ++i) {
    const Listener& listener = config.listeners[i];
    const std::string_view bind = listener.bind.text;
    const bool any_port = bind.size() > 2 && bind.substr(bind.size() - 2) == ":0";
    if (bind.empty() || any_port) {
      continue;
    }
    const auto [at, is_new] = seen.emplace(bind, i);
    if (!is_new) {
      const Node& node = child(element(root, "listeners", i), "bind");
      reader.error(node.mark, {"E0130",
                               fmt::format("{} is already bound by listener {}", quoted(bind),
                                           quoted(config.listeners[at->second].name)),
                               ""});
    }
  }
}

void check_unused(Reader& reader, const Node& root, const Config& config) {
  std::vector<bool> used(config.upstreams.size(), false);
  for (const Route& route : config.routes) {
    if (route.upstream < used.size()) {
      used[route.upstream] = true;
    }
    if (route.mirror.upstream < used.size()) {
      used[route.mirror.upstream] = true;
    }
    if (route.forward_auth < config.forward_auths.size()) {
      const uint32_t asked = config.forward_auths[route.forward_auth].upstream;
      if (asked < used.size()) {
        used[asked] = true;
      }
    }
    for (const Split::Part& part : route.split.upstreams) {
      if (part.upstream < used.size()) {
        used[part.upstream] = true;
      }
    }
  }
  for (const Authenticator& one : config.authenticators) {
    if (one.introspection.enabled && one.introspection.upstream < used.size()) {
      used[one.introspection.upstream] = true;
    }
    if (one.oidc.enabled && one.oidc.upstream < used.size()) {
      used[one.oidc.upstream] = true;
    }
  }
  // Else documents may use them.
  const bool is_all = !config.config_center.enabled && !config.admin.writable;
  for (size_t i = 0; is_all && i < used.size(); ++i) {
    if (!used[i]) {
      reader.warning(
          child(element(root, "upstreams", i), "name").mark,
          {"W0150", fmt::format("no route uses upstream {}", quoted(config.upstreams[i].name)),
           ""});
    }
  }
  const bool no_routes = config.routes.empty() && is_all;
  for (size_t i = 0; no_routes && i < config.listeners.size(); ++i) {
    reader.warning(child(element(root, "listeners", i), "name").mark,
                   {"W0153",
                    fmt::format("listener {} has no route to serve: every request gets 404",
                                quoted(config.listeners[i].name)),
                    ""});
  }
}

/// A registry that names no servers is in the etcd of the config centre.
void check_registries(Reader& reader, const Node& root, const Config& config) {
  for (size_t i = 0; !config.config_center.enabled && i < config.upstreams.size(); ++i) {
    const EtcdRegistry& registry = config.upstreams[i].discovery.etcd;
    if (!registry.prefix.empty() && registry.endpoints.empty()) {
      const Node& place = child(child(element(root, "upstreams", i), "discovery"), "etcd");
      reader.error(place.mark, {"E0137", "`etcd` names no server, and there is no `config_center`",
                                "add `endpoints: [\"http://127.0.0.1:2379\"]`"});
    }
  }
}

/// A request waits for one store at most.
void check_strict_stores(Reader& reader, const Node& root, const Config& config) {
  for (size_t i = 0; config.stores.size() > 1 && i < config.routes.size(); ++i) {
    uint32_t store = kNoStore;
    for (const uint32_t index : config.routes[i].rate_limits) {
      const RateLimit& limit = config.rate_limits[index];
      const bool waits = limit.scope == RateScope::kCluster &&
                         limit.cluster.mode == ClusterMode::kStrict && limit.mode != Mode::kOff;
      if (waits && store != kNoStore && store != limit.cluster.store) {
        reader.error(
            child(element(root, "routes", i), "rate_limits").mark,
            {"E0136", "limits with `mode: strict` of one route have to share a store", ""});
        break;
      }
      store = waits ? limit.cluster.store : store;
    }
  }
}

}  // namespace

void check_upstream(Reader& reader, const Node& node, const Upstream& upstream) {
  if (node.find("endpoints") == nullptr && node.find("discovery") == nullptr) {
    reader.error(node.mark, {"E0121", fmt::format("{} lacks the key \"endpoints\"", reader.where()),
                             "add `endpoints: [\"127.0.0.1:9000\"]`, or `discovery`"});
  }
  if (upstream.protocol == UpstreamProtocol::kAuto && !upstream.tls.enabled) {
    reader.error(child(node, "protocol").mark,
                 {"E0136", "`protocol: auto` needs `tls`: the handshake is where a server picks",
                  "write `http/1.1` or `h2`, or add `tls: on`"});
  }
  if (upstream.health_check.kind == HealthCheckKind::kGrpc && upstream.health_check.enabled &&
      upstream.protocol == UpstreamProtocol::kHttp1) {
    reader.error(child(child(node, "health_check"), "type").mark,
                 {"E0136", "gRPC is spoken over HTTP/2, the upstream's `protocol` is `http/1.1`",
                  "write `protocol: h2`"});
  }
  if (upstream.queue.max != 0 && upstream.limits.requests_max == 0) {
    reader.error(child(child(node, "queue"), "max").mark,
                 {"E0136", "a `queue` needs `limits.requests_max`: what its requests wait for",
                  "add `limits: {requests_max: 1000}`"});
  }
}

void check_balancing(Reader& reader, const Node& node, const Balancing& balancing) {
  const bool hash =
      balancing.policy == BalancingPolicy::kHash || balancing.policy == BalancingPolicy::kRingHash;
  if (balancing.balance_factor != 0 && balancing.balance_factor <= 100) {
    reader.error(child(node, "balance_factor").mark,
                 {"E0136",
                  fmt::format("a `balance_factor` of {} leaves no room above the mean load",
                              balancing.balance_factor),
                  "write 0 for no limit, or 125 … 200"});
  }
  if (balancing.subset_size != 0 && (hash || balancing.sticky.enabled)) {
    reader.error(child(node, "subset_size").mark,
                 {"E0136",
                  fmt::format("`subset_size` and `{}` exclude each other: workers that know "
                              "different endpoints cannot agree on one",
                              hash ? "policy" : "sticky"),
                  ""});
  }
  if (balancing.sticky.same_site == SameSite::kNone && !balancing.sticky.secure) {
    reader.error(child(child(node, "sticky"), "same_site").mark,
                 {"E0136", "browsers refuse cookies with `same_site: none` without `secure`",
                  "add `secure: true`"});
  }
}

void check_health_check(Reader& reader, const Node& node, const HealthCheck& check) {
  const auto only = [&](std::string_view key, bool given, HealthCheckKind kind,
                        std::string_view word) {
    if (given && check.kind != kind) {
      reader.error(child(node, key).mark,
                   {"E0136", fmt::format("`{}` is for checks of `type: {}`", key, word), ""});
    }
  };
  only("path", node.find("path") != nullptr, HealthCheckKind::kHttp, "http");
  only("method", node.find("method") != nullptr, HealthCheckKind::kHttp, "http");
  only("statuses", node.find("statuses") != nullptr, HealthCheckKind::kHttp, "http");
  only("body", !check.body.empty(), HealthCheckKind::kHttp, "http");
  only("send", !check.send.empty(), HealthCheckKind::kTcp, "tcp");
  only("expect", !check.expect.empty(), HealthCheckKind::kTcp, "tcp");
  only("service", !check.service.empty(), HealthCheckKind::kGrpc, "grpc");
  if (!check.send.empty() && check.expect.empty()) {
    reader.error(child(node, "send").mark,
                 {"E0136", "`send` needs `expect`: nobody would look at the answer", ""});
  }
}

void check_rate_path(Reader& reader, const Node& node, const RateMatch& match) {
  if (!match.path_exact.empty() && !match.path_prefix.empty()) {
    reader.error(node.find("prefix")->mark,
                 {"E0124", "a path is `exact` or `prefix`, not both", ""});
  }
}

namespace {

void check_burst(Reader& reader, const Node& node, const RateLimit& limit) {
  if (limit.burst != 0 && limit.rate.count == 0) {
    reader.error(child(node, "burst").mark, {"E0136", "a `burst` is of a `rate`", ""});
    return;
  }
  // Beyond this the bucket would not be full again within the life of the process.
  constexpr double kFullAgainMax = 3600.0 * 24 * 366;
  const double seconds = std::chrono::duration<double>(limit.rate.per).count();
  if (limit.rate.count != 0 &&
      static_cast<double>(limit.burst) * seconds / static_cast<double>(limit.rate.count) >
          kFullAgainMax) {
    reader.error(
        child(node, "burst").mark,
        {"E0136", "at this `rate` the `burst` would take more than a year to come back", ""});
  }
}

void check_cost(Reader& reader, const Node& node, const RateLimit& limit) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(limit.rate.per).count();
  const uint64_t by_rate = std::max<uint64_t>(limit.rate.count / static_cast<uint64_t>(seconds), 1);
  const uint64_t most =
      limit.quota.limit != 0 ? limit.quota.limit : (limit.burst != 0 ? limit.burst : by_rate);
  if (limit.cost.kind == RateCost::Kind::kFixed && limit.cost.fixed > most) {
    reader.error(child(node, "cost").mark,
                 {"E0136",
                  fmt::format("a request costs {}, but there are never more than {} to be had",
                              limit.cost.fixed, most),
                  limit.quota.limit != 0 ? "" : fmt::format("add `burst: {}`", limit.cost.fixed)});
  }
}

void check_scope(Reader& reader, const Node& node, const RateLimit& limit) {
  const bool cluster = limit.scope == RateScope::kCluster;
  if (limit.quota.limit != 0 && limit.scope != RateScope::kNode) {
    reader.error(child(node, "scope").mark, {"E0136", "a `quota` counts for the node", ""});
  }
  if (limit.accuracy == RateAccuracy::kLease &&
      (limit.scope != RateScope::kNode || limit.quota.limit != 0)) {
    reader.error(child(node, "accuracy").mark,
                 {"E0136", "only a `rate` with `scope: node` can be leased", ""});
  }
  if (cluster && limit.cluster.store == kNoStore) {
    reader.error(child(node, "scope").mark,
                 {"E0136", "`scope: cluster` needs a store", "add `cluster: {store: NAME}`"});
  } else if (!cluster && limit.cluster != RateCluster{}) {
    reader.error(child(node, "cluster").mark,
                 {"E0136", "`cluster` is for `scope: cluster`", "add `scope: cluster`"});
  }
}

}  // namespace

namespace {

void check_key(Reader& reader, const Node& node, const std::vector<KeyPart>& key) {
  if (key.empty()) {
    reader.error(child(node, "key").mark, {"E0137", "`key` needs at least one part",
                                           "write `[route]` for one count of all"});
  }
}

/// A later step needs a worse state than the one before.
template <class T>
void check_steps(Reader& reader, const Node& node, const OverloadSteps<T>& steps) {
  if (steps.shed_low > steps.shed_normal) {
    reader.error(child(node, "shed_low").mark,
                 {"E0136", "`shed_low` is the first step: it cannot come after `shed_normal`", ""});
  }
  if (steps.shed_normal > steps.stop) {
    reader.error(child(node, "shed_normal").mark,
                 {"E0136", "`stop` is the last step: it cannot come before `shed_normal`", ""});
  }
}

}  // namespace

void check_rate_limit(Reader& reader, const Node& node, const RateLimit& limit) {
  check_key(reader, node, limit.key);
  const bool has_rate = node.find("rate") != nullptr;
  if (has_rate == (node.find("quota") != nullptr)) {
    reader.error(node.mark,
                 has_rate
                     ? Problem{"E0124", "a rate limit has a `rate` or a `quota`, not both", ""}
                     : Problem{"E0121", fmt::format("{} lacks the key \"rate\"", reader.where()),
                               "add `rate`, or else `quota`"});
  }
  if (limit.rate.count == 0 && limit.quota.limit == 0) {
    return;  // it is bad: what follows would complain about consequences
  }
  check_burst(reader, node, limit);
  check_cost(reader, node, limit);
  check_scope(reader, node, limit);
}

void check_concurrency_limit(Reader& reader, const Node& node, const ConcurrencyLimit& limit) {
  check_key(reader, node, limit.key);
}

void check_bandwidth_limit(Reader& reader, const Node& node, const BandwidthLimit& limit) {
  check_key(reader, node, limit.key);
  if (node.find("request") == nullptr && node.find("response") == nullptr) {
    reader.error(node.mark, {"E0136", "a bandwidth limit that limits nothing",
                             "give `request`, `response` or both"});
  }
}

void check_adaptive(Reader& reader, const Node& node, const AdaptiveConcurrency& adaptive) {
  if (adaptive.limit_min > adaptive.limit_max) {
    reader.error(child(node, "min").mark, {"E0136",
                                           fmt::format("min ({}) is more than max ({})",
                                                       adaptive.limit_min, adaptive.limit_max),
                                           ""});
  }
}

void check_percent_steps(Reader& reader, const Node& node, const OverloadSteps<uint32_t>& steps) {
  check_steps(reader, node, steps);
}

void check_queue_steps(Reader& reader, const Node& node, const QueueSteps& steps) {
  check_steps(reader, node,
              OverloadSteps<uint32_t>{.shed_low = steps.shed_low,
                                      .shed_normal = steps.shed_normal,
                                      .stop = std::max(steps.shed_low, steps.shed_normal)});
}

void check_delay_steps(Reader& reader, const Node& node, const OverloadSteps<Duration>& steps) {
  check_steps(reader, node, steps);
}

void check_dns(Reader& reader, const Node& node, const Upstream& upstream) {
  if (upstream.dns_ttl_min > upstream.dns_ttl_max) {
    reader.error(node.mark, {"E0136",
                             fmt::format("ttl_min ({}) is more than ttl_max ({})",
                                         format_duration(upstream.dns_ttl_min),
                                         format_duration(upstream.dns_ttl_max)),
                             ""});
  }
}

void check_client_auth(Reader& reader, const Node& node, const ListenerTls& tls) {
  if (tls.client_auth != ClientAuth::kNone && tls.client_ca.empty()) {
    reader.error(child(node, "client_auth").mark,
                 {"E0136", "`client_auth` needs `client_ca`: who vouches for clients", ""});
  }
  if (tls.early_data && tls.client_auth != ClientAuth::kNone) {
    reader.error(child(node, "early_data").mark,
                 {"E0136", "`early_data` comes before a client has shown that it holds its key",
                  "turn off `early_data` or `client_auth`"});
  } else if (tls.early_data && !tls.tickets) {
    reader.error(child(node, "early_data").mark,
                 {"E0136", "`early_data` needs `session_tickets`", ""});
  }
}

void check_audit(Reader& reader, const Node& node, const AuditLog& audit) {
  if (audit.syslog.enabled && !audit.syslog.tls &&
      !(audit.syslog.ca + audit.syslog.certificate + audit.syslog.server_name).empty()) {
    reader.error(child(node, "syslog").mark,
                 {"E0136", "`ca`, `cert` and `server_name` are for `protocol: tls`", ""});
  }
  if (audit.syslog.certificate.empty() != audit.syslog.key.empty()) {
    reader.error(child(node, "syslog").mark, {"E0136", "`cert` and `key` go together", ""});
  }
}

void check_buffers(Reader& reader, const Node& node, const Buffers& buffers) {
  if (buffers.write_low_watermark >= buffers.write_high_watermark) {
    reader.error(node.mark, {"E0136",
                             fmt::format("write_low ({}) is not below write_high ({})",
                                         format_size(buffers.write_low_watermark),
                                         format_size(buffers.write_high_watermark)),
                             ""});
  }
}

namespace {

/// What GB/T 22239 level 3 and the law ask of the logs of a gateway.
void check_compliance(Reader& reader, const Node& root, const Config& config) {
  if (config.compliance != Compliance::kMlps3) {
    return;
  }
  const AuditLog& audit = config.audit;
  if (!audit.enabled) {
    reader.error(child(root, "compliance").mark, {"E0136", "`compliance: mlps3` needs an audit log",
                                                  "add `audit: {path: ..., signing_key: ...}`"});
    return;
  }
  const Node& node = child(root, "audit");
  if (audit.retention != Duration::zero() && audit.retention < kMlpsRetentionMin) {
    reader.error(child(node, "retention").mark,
                 {"E0136",
                  fmt::format("a retention of {} is less than the {} that `compliance: mlps3` asks "
                              "for",
                              format_duration(audit.retention), format_duration(kMlpsRetentionMin)),
                  "write `retention: 183d` or more"});
  }
  if (audit.signing_key.empty()) {
    reader.error(node.mark, {"E0136", "`compliance: mlps3` needs signed checkpoints",
                             "add `signing_key`; `hangu audit keygen` makes one"});
  }
  if (audit.requests == AuditLevel::kOff) {
    reader.error(child(node, "requests").mark,
                 {"E0136", "`compliance: mlps3` needs a record of refused requests at least",
                  "write `requests: security` or `all`"});
  }
}

}  // namespace

void check_errors(Reader& reader, const Node& root, const Config& config) {
  check_binds(reader, root, config);
  check_compliance(reader, root, config);
  check_identities(reader, root, config);
  check_logins(reader, root, config);
  if (!reader.has_errors()) {  // else this would be about their consequences
    check_registries(reader, root, config);
    check_strict_stores(reader, root, config);
  }
}

void check_config(Reader& reader, const Node& root, const Config& config) {
  check_errors(reader, root, config);
  if (reader.has_errors()) {
    return;  // what follows would warn about consequences of the errors
  }
  check_callbacks(reader, root, config);
  check_unused(reader, root, config);
  check_routes(reader, root, config);
}

}  // namespace hangu::config
