#include "hangu/admin/json.h"

#include <unistd.h>

#include <ctime>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "hangu/config/assembly.h"
#include "hangu/server/tls_contexts.h"

#include "admin/releases_json.h"

namespace hangu::admin {
namespace {

namespace json = boost::json;

json::array strings(const std::vector<std::string>& texts) {
  json::array all;
  for (const std::string& text : texts) {
    all.emplace_back(text);
  }
  return all;
}

int64_t milliseconds(Duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

json::array check_results(const control::DaemonStatus& status, std::string_view upstream,
                          std::string_view address) {
  json::array all;
  for (const control::EndpointChecks& checks : status.checks) {
    if (checks.upstream != upstream || checks.address != address) {
      continue;
    }
    for (const control::CheckResult& result : checks.results) {
      const auto us = std::chrono::duration_cast<std::chrono::microseconds>(result.took).count();
      all.push_back({{"time", format_wall_time(result.at)},
                     {"good", result.good},
                     {"took_ms", static_cast<double>(us) / 1000},
                     {"reason", result.reason}});
    }
  }
  return all;
}

json::object circuit(const server::CircuitStatus& circuit) {
  return {{"state", circuit.state},
          {"cause", circuit.cause},
          {"probes_succeeded", circuit.probes_succeeded},
          {"next_probe_ms", milliseconds(circuit.next_probe)}};
}

json::array circuits_of_routes(const server::GatewayStatus& gateway) {
  json::array all;
  for (const server::RouteCircuitStatus& route : gateway.route_circuits) {
    all.push_back({{"route", route.route}, {"circuit_breaker", circuit(route.circuit)}});
  }
  return all;
}

json::object endpoint_json(const control::DaemonStatus& status, std::string_view upstream,
                           const server::EndpointStatus& endpoint) {
  json::object one{{"address", endpoint.address}, {"host", endpoint.host}};
  one["weight"] = endpoint.weight;
  one["priority"] = endpoint.priority;
  one["order"] = endpoint.order;
  if (endpoint.ejected_for != Duration::zero()) {
    one["ejected_for_ms"] = milliseconds(endpoint.ejected_for);
  }
  if (json::array checks = check_results(status, upstream, endpoint.address); !checks.empty()) {
    one["check"] = endpoint.check;
    one["checks"] = std::move(checks);
  }
  return one;
}

json::array levels_json(const server::UpstreamStatus& upstream) {
  json::array all;
  for (const policy::PriorityLevel& level : upstream.levels) {
    all.push_back({{"priority", level.priority},
                   {"endpoints", level.endpoints},
                   {"well", level.well},
                   {"load_percent", level.load_percent},
                   {"panic", level.panic}});
  }
  return all;
}

void add_limits(const server::UpstreamStatus& upstream, json::object& out) {
  if (upstream.limits.empty()) {
    return;
  }
  json::object limits;
  for (const server::LimitStatus& limit : upstream.limits) {
    limits[limit.resource] = {{"used", limit.used}, {"max", limit.max}};
  }
  out["limits"] = std::move(limits);
  out["queued"] = upstream.queued;
}

json::object discovery_json(const control::DiscoveryStatus& found) {
  json::array refused;
  for (const control::RefusedInstance& each : found.refused) {
    refused.push_back({{"key", each.key}, {"reason", each.reason}});
  }
  json::object one{
      {"source", found.source},         {"state", json::string(control::to_string(found.state))},
      {"from_cache", found.from_cache}, {"instances", found.instances},
      {"error", found.error},           {"refused", std::move(refused)},
      {"changes", found.changes},       {"failures", found.failures}};
  if (!found.labels.empty()) {
    json::object labels;
    for (const auto& [name, value] : found.labels) {
      labels[name] = value;
    }
    one["labels"] = std::move(labels);
    one["others"] = found.others;
  }
  if (found.state == control::DiscoveryStatus::State::kStale) {
    one["stale_since"] = format_wall_time(found.since);
  }
  return one;
}

json::array upstreams(const control::DaemonStatus& status) {
  json::array all;
  for (const server::UpstreamStatus& upstream : status.gateway.upstreams) {
    json::array endpoints;
    for (const server::EndpointStatus& endpoint : upstream.endpoints) {
      endpoints.push_back(endpoint_json(status, upstream.name, endpoint));
    }
    json::array names;
    for (const control::NameStatus& name : status.names) {
      if (name.upstream == upstream.name) {
        names.push_back({{"name", name.name},
                         {"addresses", strings(name.addresses)},
                         {"error", name.error},
                         {"answers", name.answers}});
      }
    }
    json::object one{{"name", upstream.name}, {"endpoints", endpoints}, {"names", names}};
    one["levels"] = levels_json(upstream);
    for (const control::DiscoveryStatus& found : status.discoveries) {
      if (found.upstream == upstream.name) {
        one["discovery"] = discovery_json(found);
      }
    }
    if (!upstream.circuit.state.empty()) {
      one["circuit_breaker"] = circuit(upstream.circuit);
    }
    add_limits(upstream, one);
    if (upstream.admission.enabled) {
      one["admission"] = {{"mode", upstream.admission.shadow ? "shadow" : "enforce"},
                          {"rejected", upstream.admission.rejected},
                          {"shadow_rejected", upstream.admission.shadow_rejected}};
    }
    if (const server::AdaptiveConcurrencyStatus& adaptive = upstream.adaptive; adaptive.enabled) {
      constexpr int64_t kMicrosecondNs = 1000;
      one["adaptive_concurrency"] = {{"limit", adaptive.limit.limit},
                                     {"under_way", adaptive.limit.under_way},
                                     {"baseline_us", adaptive.limit.baseline_ns / kMicrosecondNs},
                                     {"latency_us", adaptive.limit.latency_ns / kMicrosecondNs},
                                     {"measuring", adaptive.limit.measuring}};
    }
    all.push_back(std::move(one));
  }
  return all;
}

json::array rate_limits(const server::GatewayStatus& gateway) {
  json::array all;
  for (const server::RateLimitStatus& limit : gateway.rate_limits) {
    all.push_back({{"name", limit.name},
                   {"mode", limit.mode},
                   {"allowed", limit.allowed},
                   {"rejected", limit.rejected},
                   {"shadow_rejected", limit.shadow_rejected},
                   {"without_store", limit.without_store}});
  }
  return all;
}

json::array concurrency_limits(const server::GatewayStatus& gateway) {
  json::array all;
  for (const server::ConcurrencyLimitStatus& limit : gateway.concurrency_limits) {
    all.push_back({{"name", limit.name},
                   {"mode", limit.mode},
                   {"max", limit.max},
                   {"active", limit.active},
                   {"allowed", limit.allowed},
                   {"rejected", limit.rejected},
                   {"shadow_rejected", limit.shadow_rejected}});
  }
  return all;
}

json::array bandwidth_limits(const server::GatewayStatus& gateway) {
  json::array all;
  for (const server::BandwidthLimitStatus& limit : gateway.bandwidth_limits) {
    all.push_back({{"name", limit.name},
                   {"mode", limit.mode},
                   {"request_bytes", limit.request_bytes},
                   {"response_bytes", limit.response_bytes},
                   {"pauses", limit.pauses},
                   {"shadow_pauses", limit.shadow_pauses}});
  }
  return all;
}

json::array forward_auths(const server::GatewayStatus& gateway) {
  json::array all;
  for (const server::ForwardAuthStatus& service : gateway.forward_auths) {
    all.push_back({{"name", service.name},
                   {"mode", service.mode},
                   {"active", service.active},
                   {"allowed", service.allowed},
                   {"refused", service.refused},
                   {"shadow_refused", service.shadow_refused},
                   {"cached", service.cached},
                   {"errors", service.errors}});
  }
  return all;
}

json::array stores(const server::GatewayStatus& gateway) {
  json::array all;
  for (const server::StoreStatus& store : gateway.stores) {
    all.push_back({{"name", store.name},
                   {"address", store.address},
                   {"up", store.up},
                   {"reason", store.reason},
                   {"connects", store.connects},
                   {"asked", store.asked},
                   {"late", store.late}});
  }
  return all;
}

json::object load(const server::LoadStatus& load) {
  return {{"value", load.value}, {"max", load.most}, {"step", load.step}};
}

json::object overload(const server::GatewayStatus& gateway) {
  using std::chrono::microseconds;
  json::array shards;
  for (const server::ShardStatus& shard : gateway.shards) {
    shards.push_back({{"id", shard.id},
                      {"delay_us", std::chrono::duration_cast<microseconds>(shard.delay).count()},
                      {"accept_queue", shard.accept_queue},
                      {"accept_queue_max", shard.accept_queue_max},
                      {"step", shard.overload_step}});
  }
  return {{"mode", gateway.overload.shadow ? "shadow" : "enforce"},
          {"memory", load(gateway.overload.memory)},
          {"descriptors", load(gateway.overload.descriptors)},
          {"shards", std::move(shards)}};
}

json::array shards(const server::GatewayStatus& gateway) {
  json::array all;
  for (const server::ShardStatus& shard : gateway.shards) {
    all.push_back({{"id", shard.id},
                   {"cpu", shard.cpu},
                   {"generation", shard.generation},
                   {"connections", shard.connections},
                   {"requests_active", shard.requests_active},
                   {"requests_total", shard.requests_total}});
  }
  return all;
}

json::value last_reload(const std::optional<control::LastReload>& last) {
  if (!last) {
    return nullptr;
  }
  return {{"time", format_wall_time(last->time)},
          {"applied", last->applied},
          {"generation", last->generation},
          {"error", last->error},
          {"diagnostics", diagnostics_json(last->diagnostics)}};
}

void print(const json::value& value, size_t depth, std::string& out) {
  const auto open_line = [&](size_t at) {
    out += '\n';
    out.append(at * 2, ' ');
  };
  if (value.is_object() && !value.get_object().empty()) {
    const char* separator = "{";
    for (const auto& [key, member] : value.get_object()) {
      out += std::exchange(separator, ",");
      open_line(depth + 1);
      out += json::serialize(json::value(key)) + ": ";
      print(member, depth + 1, out);
    }
    open_line(depth);
    out += '}';
  } else if (value.is_array() && !value.get_array().empty()) {
    const char* separator = "[";
    for (const json::value& element : value.get_array()) {
      out += std::exchange(separator, ",");
      open_line(depth + 1);
      print(element, depth + 1, out);
    }
    open_line(depth);
    out += ']';
  } else {
    out += json::serialize(value);
  }
}

json::array certificates(const server::GatewayStatus& status, std::time_t now) {
  constexpr std::time_t kDay = 24 * 3600;
  json::array all;
  for (const server::CertificateStatus& certificate : status.certificates) {
    const tls::CertificateInfo& info = certificate.info;
    const std::time_t left = info.not_after - now;
    all.push_back({{"listener", certificate.listener},
                   {"file", info.file},
                   {"subject", info.subject},
                   {"issuer", info.issuer},
                   {"names", info.names},
                   {"key", info.key},
                   {"fingerprint", info.fingerprint},
                   {"not_before", server::date_text(info.not_before)},
                   {"not_after", server::date_text(info.not_after)},
                   {"days_left", left < 0 ? -1 : left / kDay}});
  }
  return all;
}

}  // namespace

json::object upstreams_json(const control::DaemonStatus& status) {
  return {{"upstreams", upstreams(status)}};
}

namespace {

json::array key_sets(const control::DaemonStatus& status) {
  json::array all;
  for (const control::KeyStatus& set : status.keys) {
    all.push_back({{"authenticator", set.authenticator},
                   {"keys", set.keys},
                   {"age_ms", milliseconds(set.age)},
                   {"error", set.error},
                   {"fetches", set.fetches},
                   {"failures", set.failures}});
  }
  return all;
}

json::object rollout(const control::ConfigSource::RolloutReport& report) {
  if (!report.rollout) {
    return {};
  }
  const fleet::Rollout& known = *report.rollout;
  return {{"id", known.id},
          {"state", fleet::to_string(known.state)},
          {"cause", known.cause},
          {"stage", known.plan.stages[std::min(known.stage, known.plan.stages.size() - 1)]},
          {"in_force", report.in_force},
          {"refusal", report.refusal}};
}

json::object shared_keys(const control::SharedKeysStatus& keys) {
  return {{"generation", keys.generation},
          {"sealing", keys.sealing},
          {"since", keys.generation != 0 ? format_wall_time(keys.since) : ""},
          {"keys", keys.keys},
          {"error", keys.error}};
}

json::array certificate_alarms(const std::vector<fleet::CertificateAlarm>& alarms,
                               std::time_t now) {
  constexpr std::time_t kDay = 24 * 3600;
  json::array all;
  for (const fleet::CertificateAlarm& each : alarms) {
    const std::time_t left = each.certificate.not_after_s - now;
    all.push_back({{"fingerprint", each.certificate.fingerprint},
                   {"subject", each.certificate.subject},
                   {"not_after", server::date_text(each.certificate.not_after_s)},
                   {"days_left", left < 0 ? -1 : left / kDay},
                   {"nodes", json::value_from(each.nodes)}});
  }
  return all;
}

json::object fleet_member(const control::ConfigCenterStatus& status) {
  const control::FleetStatus& fleet = status.fleet;
  json::array labels;
  for (const std::string& each : fleet.labels) {
    labels.emplace_back(each);
  }
  json::object all = {{"node", fleet.node},
                      {"labels", std::move(labels)},
                      {"joined", fleet.joined},
                      {"error", fleet.error},
                      {"leads", fleet.leads},
                      {"leader", fleet.leader},
                      {"rollout", rollout(status.documents.rollout)}};
  if (fleet.keys.enabled) {
    all["shared_keys"] = shared_keys(fleet.keys);
  }
  return all;
}

json::object config_center(const control::ConfigCenterStatus& status) {
  json::array refused;
  for (const config::Refusal& each : status.documents.refused) {
    refused.push_back({{"key", each.key}, {"reason", each.reason}});
  }
  json::object all = {{"endpoint", status.endpoint},
                      {"connected", status.connected},
                      {"error", status.error},
                      {"revision", status.revision},
                      {"applied", status.applied},
                      {"last_change_ms", milliseconds(status.last_change)},
                      {"from_cache", status.from_cache},
                      {"lost_store", status.documents.lost_store},
                      {"documents", status.documents.documents},
                      {"refused", std::move(refused)}};
  if (status.fleet.enabled) {
    all["fleet"] = fleet_member(status);
  }
  return all;
}

/// Those that this machine keeps.
json::object documents(const control::DocumentsStatus& status) {
  json::array refused;
  for (const config::Refusal& each : status.refused) {
    refused.push_back({{"key", each.key}, {"reason", each.reason}});
  }
  return {{"documents", status.documents},
          {"generation", status.generation},
          {"time", status.time},
          {"author", status.author},
          {"refused", std::move(refused)}};
}

json::value audit(const server::AuditStatus& status) {
  if (status.path.empty()) {
    return nullptr;
  }
  json::object all = {{"path", status.path},
                      {"records", status.records},
                      {"dropped", status.dropped},
                      {"write_errors", status.write_errors},
                      {"spilled_bytes", status.spilled_bytes},
                      {"failing", status.failing}};
  if (!status.syslog.empty()) {
    all["syslog"] = {{"server", status.syslog},
                     {"connected", status.syslog_connected},
                     {"sent", status.syslog_sent},
                     {"dropped", status.syslog_dropped}};
  }
  return all;
}

json::object logouts(const control::DaemonStatus& status) {
  const server::LogoutStatus& here = status.gateway.logouts;
  json::object all = {{"remembered", here.remembered},
                      {"without_room", here.without_room},
                      {"failing", here.failing}};
  if (status.logout_sharing.enabled) {
    all["fleet"] = {{"connected", status.logout_sharing.connected},
                    {"error", status.logout_sharing.error},
                    {"waiting", status.logout_sharing.waiting},
                    {"shared", status.logout_sharing.shared},
                    {"overflows", status.logout_sharing.overflows}};
  }
  return all;
}

}  // namespace

json::object status_json(const control::DaemonStatus& status, std::time_t now) {
  json::array listeners;
  for (const server::ListenerStatus& listener : status.gateway.listeners) {
    listeners.push_back({{"name", listener.name}, {"address", listener.address}});
  }
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(status.uptime).count();
  json::object all;
  all["version"] = HANGU_VERSION;
  all["pid"] = ::getpid();
  all["ready"] = status.readiness.ready;
  all["reason"] = status.readiness.reason;
  all["state"] = control::to_string(status.state);
  all["started"] = format_wall_time(status.started);
  all["uptime_s"] = seconds;
  all["config"] = status.config_path;
  all["generation"] = status.gateway.generation;
  all["event_loop"] = status.gateway.event_loop;
  all["listeners"] = std::move(listeners);
  all["certificates"] = certificates(status.gateway, now);
  if (!status.certificate_alarms.empty()) {
    all["certificate_alarms"] = certificate_alarms(status.certificate_alarms, now);
  }
  all["upstreams"] = upstreams(status);
  all["rate_limits"] = rate_limits(status.gateway);
  all["concurrency_limits"] = concurrency_limits(status.gateway);
  all["bandwidth_limits"] = bandwidth_limits(status.gateway);
  if (!status.gateway.forward_auths.empty()) {
    all["forward_auths"] = forward_auths(status.gateway);
  }
  all["stores"] = stores(status.gateway);
  if (!status.gateway.route_circuits.empty()) {
    all["routes"] = circuits_of_routes(status.gateway);
  }
  if (!status.keys.empty()) {
    all["key_sets"] = key_sets(status);
  }
  if (status.gateway.logouts.enabled) {
    all["logouts"] = logouts(status);
  }
  if (!status.releases.empty()) {
    all["releases"] = releases_json(status.releases);
  }
  if (status.config_center.enabled) {
    all["config_center"] = config_center(status.config_center);
  }
  if (status.documents.store == control::DocumentStoreKind::kLocal) {
    all["documents"] = documents(status.documents);
  }
  all["shards"] = shards(status.gateway);
  all["audit"] = audit(status.gateway.audit);
  if (status.gateway.overload.enabled) {
    all["overload"] = overload(status.gateway);
  }
  all["last_reload"] = last_reload(status.last_reload);
  if (status.last_upgrade && !status.last_upgrade->error.empty()) {
    all["last_upgrade"] = {{"time", format_wall_time(status.last_upgrade->time)},
                           {"upgraded", false},
                           {"error", status.last_upgrade->error}};
  }
  if (status.predecessor != 0) {
    all["predecessor_pid"] = status.predecessor;
  }
  return all;
}

json::array diagnostics_json(std::vector<config::Diagnostic> diagnostics) {
  for (config::Diagnostic& each : diagnostics) {
    if (config::document_key_error(each.file).empty()) {
      each.snippet.clear();
    }
  }
  return json::parse(config::diagnostics_to_json(diagnostics)).as_array();
}

json::object reload_json(const control::ReloadOutcome& outcome) {
  json::array changes;
  for (const config::KeyChange& change : outcome.changes) {
    changes.push_back({{"key", change.path},
                       {"before", change.before},
                       {"after", change.after},
                       {"takes_effect", config::to_string(change.reload)}});
  }
  json::object all;
  all["applied"] = outcome.kind == control::ReloadOutcome::Kind::kApplied;
  all["generation"] = outcome.report.generation;
  all["connections_closed"] = outcome.report.connections_closed;
  all["streams_on_old_generation"] = outcome.report.streams_on_old_generation;
  all["listeners_added"] = strings(outcome.report.listeners_added);
  all["listeners_removed"] = strings(outcome.report.listeners_removed);
  all["restart_required"] = strings(outcome.report.restart_required);
  all["changes"] = std::move(changes);
  all["diagnostics"] = diagnostics_json(outcome.diagnostics);
  return all;
}

std::string format_wall_time(WallTime time) {
  const auto coarse = std::chrono::time_point_cast<std::chrono::system_clock::duration>(time);
  const std::time_t seconds = std::chrono::system_clock::to_time_t(coarse);
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  char text[32] = {};
  std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}

std::string pretty(const json::value& value) {
  std::string out;
  print(value, 0, out);
  return out;
}

}  // namespace hangu::admin
