#include "hangu/admin/routes.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <span>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "hangu/admin/explain.h"
#include "hangu/admin/json.h"
#include "hangu/admin/openapi.h"
#include "hangu/admin/query.h"
#include "hangu/audit/record.h"
#include "hangu/base/unix_time.h"
#include "hangu/config/print.h"
#include "hangu/control/process.h"
#include "hangu/http/status.h"
#include "hangu/stats/prometheus.h"
#include "hangu/stats/registry.h"

#include "admin/answers.h"
#include "admin/login.h"
#include "admin/plugins_json.h"
#include "admin/releases_json.h"
#include "admin/route_table.h"

namespace hangu::admin {
namespace {

namespace json = boost::json;

/// Kubernetes' names for two of the paths mean the same.
std::string_view without_alias(std::string_view path) {
  return path == "/healthz" || path == "/readyz" ? path.substr(0, path.size() - 1) : path;
}

Reply text_reply(int status, std::string text) {
  return {status, "text/plain; charset=utf-8", std::move(text), {}};
}

Reply json_reply(const json::object& value) {
  return {200, "application/json", json::serialize(value) + "\n", {}};
}

json::array roles_json(Roles roles) {
  json::array names;
  for (const std::string_view name : role_names(roles)) {
    names.push_back(json::string(name.data(), name.size()));
  }
  return names;
}

Reply index() {
  json::array all;
  for (const Route& route : routes()) {
    all.push_back({{"method", json::string(route.method)},
                   {"path", json::string(route.path)},
                   {"roles", roles_json(route.roles)},
                   {"summary", json::string(route.summary)}});
  }
  return {200, "application/json", pretty(json::object{{"routes", all}}) + "\n", {}};
}

Reply ready(control::Daemon& daemon) {
  const control::Readiness readiness = daemon.readiness();
  return readiness.ready ? text_reply(200, "ready\n") : problem(503, "not_ready", readiness.reason);
}

struct Metric {
  std::string_view name;
  std::string_view type;
  std::string_view help;
  uint64_t value;
};

std::string metrics_text(std::span<const Metric> metrics) {
  std::string text;
  for (const Metric& metric : metrics) {
    text += fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n{0} {3}\n", metric.name, metric.help,
                        metric.type, metric.value);
  }
  return text;
}

/// Nothing when the fleet has none in common.
std::string shared_keys_metrics(const control::SharedKeysStatus& keys) {
  if (!keys.enabled) {
    return "";
  }
  const Metric metrics[] = {
      {"hangu_shared_keys_generation", "gauge",
       "Of the keys that the fleet has in common, in force; 0: there are none.", keys.generation},
      {"hangu_shared_keys_sealing_since_seconds", "gauge",
       "Unix time when the key that seals was "
       "made.",
       static_cast<uint64_t>(unix_seconds(keys.since))},
      {"hangu_shared_keys_refused", "gauge",
       "1: the keys in the store are not in force: they cannot be opened, or are older.",
       keys.error.empty() ? uint64_t{0} : uint64_t{1}}};
  return metrics_text(metrics);
}

/// How long until the first one ends, and what alarms there are.
std::string certificate_metrics(const control::DaemonStatus& status) {
  if (!status.first_certificate_end_s) {
    return "";
  }
  const int64_t left = *status.first_certificate_end_s - unix_seconds(control::wall_now());
  const Metric metrics[] = {
      {"hangu_certificate_first_end_seconds", "gauge",
       "Until the first certificate of this node's listeners ends; 0: it has.",
       static_cast<uint64_t>(std::max<int64_t>(left, 0))},
      {"hangu_certificate_alarms", "gauge",
       "Certificates that end soon: of all nodes of the fleet, or of this one alone.",
       status.certificate_alarms.size()}};
  return metrics_text(metrics);
}

/// Nothing when there is none.
std::string center_metrics(const control::ConfigCenterStatus& center) {
  if (!center.enabled) {
    return "";
  }
  const Metric metrics[] = {
      {"hangu_config_center_connected", "gauge", "1: the store is being watched.",
       center.connected ? uint64_t{1} : uint64_t{0}},
      {"hangu_config_center_revision", "gauge", "Revision of the store, seen last.",
       static_cast<uint64_t>(center.revision)},
      {"hangu_config_center_applied_revision", "gauge", "Revision in force.",
       static_cast<uint64_t>(center.applied)},
      {"hangu_config_center_documents", "gauge", "Documents in force.", center.documents.documents},
      {"hangu_config_center_refused_documents", "gauge",
       "Documents whose version in the store is not in force.", center.documents.refused.size()},
      {"hangu_fleet_joined", "gauge", "1: the other nodes know of this one.",
       center.fleet.joined ? uint64_t{1} : uint64_t{0}},
      {"hangu_fleet_leads", "gauge", "1: this node holds the election.",
       center.fleet.leads ? uint64_t{1} : uint64_t{0}},
      {"hangu_rollout_in_force", "gauge", "1: the documents of a rollout are in force here.",
       center.documents.rollout.in_force ? uint64_t{1} : uint64_t{0}},
      {"hangu_config_center_lost", "gauge", "1: the store has no documents any more.",
       center.documents.lost_store ? uint64_t{1} : uint64_t{0}}};
  return metrics_text(metrics) + shared_keys_metrics(center.fleet.keys);
}

/// Of the upstreams with `discovery`; nothing when there are none.
std::string discovery_metrics(const std::vector<control::DiscoveryStatus>& all) {
  using Status = control::DiscoveryStatus;

  struct Family {
    std::string_view name;
    std::string_view type;
    std::string_view help;
    uint64_t (*value)(const Status&);
  };

  static constexpr Family kFamilies[] = {
      {"hangu_discovery_stale", "gauge",
       "1: the instances in use are the last good ones, the source has none or cannot be asked.",
       [](const Status& each) {
         return each.state == Status::State::kFresh ? uint64_t{0} : uint64_t{1};
       }},
      {"hangu_discovery_instances", "gauge", "Instances that are known.",
       [](const Status& each) { return uint64_t{each.instances}; }},
      {"hangu_discovery_refused", "gauge", "Instances that are left out: they cannot be used.",
       [](const Status& each) { return uint64_t{each.refused.size()}; }},
      {"hangu_discovery_changes_total", "counter", "Times that the instances have changed.",
       [](const Status& each) { return each.changes; }},
      {"hangu_discovery_failures_total", "counter", "Times that the source had no good answer.",
       [](const Status& each) { return each.failures; }}};
  std::string text;
  for (const Family& family : kFamilies) {
    text += all.empty() ? ""
                        : fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n", family.name, family.help,
                                      family.type);
    for (const Status& each : all) {
      text +=
          fmt::format("{}{{upstream=\"{}\"}} {}\n", family.name, each.upstream, family.value(each));
    }
  }
  return text;
}

/// What the audit log's threads count; nothing when there is no log.
std::string audit_metrics(const server::AuditStatus& audit) {
  if (audit.path.empty()) {
    return "";
  }
  const Metric metrics[] = {
      {"hangu_audit_records_total", "counter", "Audit log records written.", audit.records},
      {"hangu_audit_write_errors_total", "counter", "Failed attempts to write.",
       audit.write_errors},
      {"hangu_audit_spilled_bytes", "gauge", "Records in the spill file that wait for the log.",
       audit.spilled_bytes},
      {"hangu_audit_syslog_sent_total", "counter", "Records sent to the syslog server.",
       audit.syslog_sent},
      {"hangu_audit_syslog_dropped_total", "counter",
       "Records that the syslog server did not get; the log has them.", audit.syslog_dropped},
      {"hangu_audit_failing", "gauge", "1: the last attempt to write failed.",
       audit.failing ? uint64_t{1} : uint64_t{0}}};
  return metrics_text(metrics);
}

/// Nothing where no provider can end sessions.
std::string logout_metrics(const control::DaemonStatus& status) {
  const server::LogoutStatus& here = status.gateway.logouts;
  if (!here.enabled) {
    return "";
  }
  const Metric metrics[] = {
      {"hangu_logouts_remembered", "gauge", "What providers have ended and still counts.",
       here.remembered},
      {"hangu_logouts_without_room_total", "counter",
       "What other nodes or processes have heard, and found no room here.", here.without_room},
      {"hangu_logouts_failing", "gauge", "1: the journal of them cannot be written.",
       here.failing ? uint64_t{1} : uint64_t{0}}};
  const control::LogoutSharing& fleet = status.logout_sharing;
  if (!fleet.enabled) {
    return metrics_text(metrics);
  }
  const Metric shared[] = {
      {"hangu_fleet_logouts_connected", "gauge", "1: what other nodes hear, this one is told.",
       fleet.connected ? uint64_t{1} : uint64_t{0}},
      {"hangu_fleet_logouts_waiting", "gauge", "Entries that the store has not got yet.",
       fleet.waiting},
      {"hangu_fleet_logouts_shared_total", "counter", "Entries that the store has got from here.",
       fleet.shared},
      {"hangu_fleet_logouts_overflows_total", "counter",
       "Entries that found no place among those that wait; they are looked for later.",
       fleet.overflows}};
  return metrics_text(metrics) + metrics_text(shared);
}

Reply metrics(control::Daemon& daemon) {
  const stats::Registry* const registry = daemon.registry();
  if (registry == nullptr) {
    return problem(503, "stopped", "the gateway has stopped");
  }
  const control::DaemonStatus status = daemon.status();
  return {200,
          "text/plain; version=0.0.4; charset=utf-8",
          stats::prometheus_text(*registry) + audit_metrics(status.gateway.audit) +
              center_metrics(status.config_center) + discovery_metrics(status.discoveries) +
              release_metrics(status.releases) + certificate_metrics(status) +
              logout_metrics(status),
          {}};
}

Reply explain_request(std::string_view query, control::Daemon& daemon) {
  const auto fields = parse_query(query);
  if (!fields) {
    return problem(400, "admin.bad_query", "the query holds a broken escape");
  }
  ExplainRequest request;
  for (const auto& [name, value] : *fields) {
    if (name == "method") {
      request.method = value;
    } else if (name == "url") {
      request.url = value;
    } else if (name == "header") {
      request.headers.push_back(value);
    } else if (name == "client") {
      request.client = value;
    } else {
      return problem(400, "admin.bad_query", fmt::format("no parameter is called \"{}\"", name));
    }
  }
  const control::DaemonStatus status = daemon.status();
  auto explanation = explain(*daemon.config(), request, {&status.gateway, status.releases});
  return explanation ? json_reply(*explanation)
                     : problem(400, "admin.bad_query", explanation.error());
}

Reply order_endpoint(const Caller& caller, std::string_view query, control::Daemon& daemon) {
  using Order = policy::EndpointHealth::Order;
  const auto fields = parse_query(query);
  if (!fields) {
    return problem(400, "admin.bad_query", "the query holds a broken escape");
  }
  std::string upstream;
  std::string endpoint;
  std::optional<Order> order;
  for (const auto& [name, value] : *fields) {
    if (name == "upstream") {
      upstream = value;
    } else if (name == "endpoint") {
      endpoint = value;
    } else if (name == "order") {
      for (const Order known : {Order::kReady, Order::kDrain, Order::kMaintenance}) {
        order = value == policy::to_string(known) ? known : order;
      }
    } else {
      return problem(400, "admin.bad_query", fmt::format("no parameter is called \"{}\"", name));
    }
  }
  if (upstream.empty() || endpoint.empty() || !order) {
    return problem(400, "admin.bad_query",
                   "needs upstream, endpoint, and an order: ready, drain or maint");
  }
  if (auto done = daemon.set_order(upstream, endpoint, *order, caller.actor); !done) {
    return problem(404, "admin.no_endpoint", done.error());
  }
  return json_reply(upstreams_json(daemon.status()));
}

/// Whoever reads the log by means of `hangu audit` says so here first.
Reply record_reading(const Caller& caller, std::string_view query, control::Daemon& daemon) {
  const auto fields = parse_query(query);
  if (!fields) {
    return problem(400, "admin.bad_query", "the query holds a broken escape");
  }
  std::optional<audit::Event> event;
  std::string what;
  for (const auto& [name, value] : *fields) {
    if (name == "what") {
      what = value;
    } else if (name == "kind") {
      event = value == "read"     ? std::optional(audit::Event::kAuditRead)
              : value == "export" ? std::optional(audit::Event::kAuditExported)
              : value == "verify" ? std::optional(audit::Event::kAuditVerified)
                                  : std::nullopt;
    }
  }
  if (!event) {
    return problem(400, "admin.bad_query", "`kind` is read, export or verify");
  }
  return daemon.record_reading(*event, caller.actor, what)
             ? json_reply({{"recorded", true}})
             : problem(503, "audit.unavailable", "the audit log takes no records now");
}

Reply reload_reply(const control::ReloadOutcome& outcome) {
  switch (outcome.kind) {
    case control::ReloadOutcome::Kind::kApplied: return json_reply(reload_json(outcome));
    case control::ReloadOutcome::Kind::kRefused:
      return problem(409, "reload.refused", outcome.error);
    case control::ReloadOutcome::Kind::kInvalidConfig: break;
  }
  Reply reply = problem(422, "reload.invalid_config", outcome.error);
  json::object body = json::parse(reply.body).as_object();
  body["diagnostics"] = diagnostics_json(outcome.diagnostics);
  reply.body = json::serialize(body) + "\n";
  return reply;
}

Reply upgrade_reply(const control::UpgradeOutcome& outcome) {
  if (!outcome.done) {
    return problem(409, "upgrade.failed", outcome.error);
  }
  return json_reply({{"upgraded", true},
                     {"pid", outcome.pid},
                     {"version", outcome.version},
                     {"took_ms", std::chrono::duration<double, std::milli>(outcome.took).count()}});
}

/// Another binary may do whatever this account may: to choose it, one must be that account, or
/// root.
bool may_choose_binary(const Peer& peer) {
  return peer.uid && (*peer.uid == 0 || *peer.uid == ::geteuid());
}

void upgrade(const Request& request, std::string_view query, const Caller& caller,
             control::Daemon& daemon, Done done) {
  const auto fields = parse_query(query);
  std::string binary;
  for (const auto& [name, value] : fields ? *fields : QueryFields{}) {
    if (name == "binary") {
      binary = value;
    }
  }
  if (!fields || (!binary.empty() && binary.front() != '/')) {
    done(problem(400, "admin.bad_query", "`binary` is an absolute path"));
    return;
  }
  if (!binary.empty() && !may_choose_binary(request.peer)) {
    done(problem(403, "upgrade.binary",
                 "only hangu's own account or root may choose the binary, over the Unix socket"));
    return;
  }
  daemon.upgrade(
      binary,
      [done = std::move(done)](const control::UpgradeOutcome& outcome) {
        done(upgrade_reply(outcome));
      },
      caller.actor);
}

/// What of a request is before its body: of which route, and who asks.
struct Opened {
  FoundRoute found;
  std::string_view path;
  std::string_view query;
};

Opened open(const Request& request) {
  const std::string_view target = request.target;
  const size_t question = std::min(target.find('?'), target.size());
  const std::string_view path = without_alias(target.substr(0, question));
  return {.found = find_route(request.method, path),
          .path = path,
          .query = target.substr(std::min(question + 1, target.size()))};
}

Result<Caller, Refusal> admit(const Route& route, const Request& request, Context& context) {
  if (const auto config = context.daemon.config()) {
    context.administrators.follow(config->admin);
  }
  return context.administrators.admit(route.roles, request.peer, request.authorization, now());
}

}  // namespace

// One for each row of the table.

void answer_index(const Admitted& /*asked*/, Context& /*context*/, Done done) {
  done(index());
}

void answer_health(const Admitted& /*asked*/, Context& /*context*/, Done done) {
  done(text_reply(200, "alive\n"));
}

void answer_ready(const Admitted& /*asked*/, Context& context, Done done) {
  done(ready(context.daemon));
}

void answer_status(const Admitted& /*asked*/, Context& context, Done done) {
  done(json_reply(status_json(context.daemon.status(), std::time(nullptr))));
}

void answer_upstreams(const Admitted& /*asked*/, Context& context, Done done) {
  done(json_reply(upstreams_json(context.daemon.status())));
}

void answer_endpoint(const Admitted& asked, Context& context, Done done) {
  done(order_endpoint(asked.caller, asked.query, context.daemon));
}

void answer_plugins(const Admitted& /*asked*/, Context& context, Done done) {
  done(json_reply(plugins_json(context.daemon)));
}

void answer_plugin(const Admitted& asked, Context& context, Done done) {
  done(change_plugin(asked.caller, asked.query, context.daemon));
}

void answer_releases(const Admitted& /*asked*/, Context& context, Done done) {
  done(json_reply({{"releases", releases_json(context.daemon.releases().status())}}));
}

void answer_release(const Admitted& asked, Context& context, Done done) {
  done(order_release(asked.caller, asked.query, context.daemon));
}

void answer_metrics(const Admitted& /*asked*/, Context& context, Done done) {
  done(metrics(context.daemon));
}

void answer_config(const Admitted& /*asked*/, Context& context, Done done) {
  done({200, "application/yaml", config::print_effective(*context.daemon.config()), {}});
}

void answer_explain(const Admitted& asked, Context& context, Done done) {
  done(explain_request(asked.query, context.daemon));
}

void answer_reading(const Admitted& asked, Context& context, Done done) {
  done(record_reading(asked.caller, asked.query, context.daemon));
}

void answer_reload(const Admitted& asked, Context& context, Done done) {
  context.daemon.reload([done = std::move(done)](
                            const control::ReloadOutcome& outcome) { done(reload_reply(outcome)); },
                        asked.caller.actor);
}

void answer_upgrade(const Admitted& asked, Context& context, Done done) {
  upgrade(asked.request, asked.query, asked.caller, context.daemon, std::move(done));
}

void answer_login(const Admitted& asked, Context& context, Done done) {
  log_in(asked.request, context, done);
}

void answer_logout(const Admitted& asked, Context& context, Done done) {
  done(log_out(asked.request, context));
}

void answer_session(const Admitted& asked, Context& /*context*/, Done done) {
  done(session(asked.caller));
}

void answer_openapi(const Admitted& /*asked*/, Context& /*context*/, Done done) {
  done({200, "application/json", openapi_text(), {}});
}

bool takes_documents(const Request& request, Context& context) {
  const FoundRoute found = open(request).found;
  return found.route != nullptr && (found.route->roles & kAudit) == 0 &&
         found.route->path.starts_with("/config/") && admit(*found.route, request, context);
}

void handle(const Request& request, Context& context, Done done) {
  const Opened opened = open(request);
  const Route* route = opened.found.route;
  if (opened.found.allowed.empty()) {
    done(problem(404, "admin.not_found",
                 fmt::format("no such path: {}; / lists them", opened.path)));
    return;
  }
  if (route == nullptr) {
    Reply reply =
        problem(405, "admin.method", fmt::format("{} takes {}", opened.path, opened.found.allowed));
    reply.fields = {{"Allow", opened.found.allowed}};
    done(std::move(reply));
    return;
  }
  const auto caller = admit(*route, request, context);
  record_ended(context);
  if (!caller) {
    record_refused(request, context, caller.error());
    done(refused(caller.error()));
    return;
  }
  route->answer({request, opened.query, *caller, opened.found.key}, context, std::move(done));
}

Reply problem(int status, std::string_view code, std::string_view detail) {
  const json::object body = {{"type", "about:blank"},
                             {"title", http::reason_phrase(status)},
                             {"status", status},
                             {"code", json::string(code)},
                             {"detail", json::string(detail)}};
  return {status, "application/problem+json", json::serialize(body) + "\n", {}};
}

}  // namespace hangu::admin
