#include "cli/status_text.h"

#include <utility>

#include <fmt/format.h>

#include "hangu/base/visible.h"

#include "cli/json_fields.h"
#include "cli/release_text.h"
#include "cli/status_limits.h"
#include "cli/terminal.h"

namespace hangu::cli {
namespace {

namespace json = boost::json;

std::string span_text(uint64_t seconds) {
  if (seconds < 60) {
    return fmt::format("{} s", seconds);
  }
  if (seconds < 3600) {
    return fmt::format("{} min {} s", seconds / 60, seconds % 60);
  }
  const uint64_t hours = seconds / 3600;
  return hours < 48 ? fmt::format("{} h {} min", hours, seconds % 3600 / 60)
                    : fmt::format("{} d {} h", hours / 24, hours % 24);
}

void print_summary(const json::object& status, const Palette& palette,
                   const Environment& environment) {
  const bool ready = flag_field(status, "ready");
  environment.out << fmt::format(
      "{}hangu {}{}: {}{}{}, up {}, pid {}\n", palette.bold, text_field(status, "version"),
      palette.off, ready ? palette.green : palette.yellow, text_field(status, "reason"),
      palette.off, span_text(number_field(status, "uptime_s")), number_field(status, "pid"));
  environment.out << fmt::format("config      {} (generation {})\n", text_field(status, "config"),
                                 number_field(status, "generation"));
  environment.out << fmt::format("event loop  {}\n", text_field(status, "event_loop"));
  const json::object last = object_field(status, "last_reload");
  if (!last.empty()) {
    const bool applied = flag_field(last, "applied");
    environment.out << fmt::format(
        "last reload {} {}{}{}\n", text_field(last, "time"), applied ? palette.green : palette.red,
        applied ? "applied" : "refused: " + text_field(last, "error"), palette.off);
  }
  const json::object upgrade = object_field(status, "last_upgrade");
  if (!upgrade.empty()) {
    environment.out << fmt::format("upgrade     {} {}failed: {}{}\n", text_field(upgrade, "time"),
                                   palette.red, text_field(upgrade, "error"), palette.off);
  }
  if (const uint64_t before = number_field(status, "predecessor_pid"); before != 0) {
    environment.out << fmt::format("replaces    process {}, which has connections left\n", before);
  }
}

void print_listeners(const json::object& status, const Palette& palette,
                     const Environment& environment) {
  environment.out << fmt::format("\n{}{:<20} {}{}\n", palette.bold, "LISTENER", "ADDRESS",
                                 palette.off);
  for (const json::object& listener : objects_field(status, "listeners")) {
    environment.out << fmt::format("{:<20} {}\n", text_field(listener, "name"),
                                   text_field(listener, "address"));
  }
}

/// `of`: what it belongs to, in the first column.
void print_circuit(std::string_view of, const json::object& circuit, const Palette& palette,
                   const Environment& environment) {
  const std::string state = text_field(circuit, "state");
  if (state == "closed") {
    return;
  }
  std::string text = fmt::format("circuit breaker {}: {}", state, text_field(circuit, "cause"));
  if (const uint64_t wait = number_field(circuit, "next_probe_ms"); wait != 0) {
    text += fmt::format(", next try in {:.1f} s", static_cast<double>(wait) / 1000);
  }
  environment.out << fmt::format("{:<20} {}{}{}\n", of, palette.yellow, text, palette.off);
}

void print_resources(const json::object& upstream, const Environment& environment) {
  std::string text;
  const json::object limits = object_field(upstream, "limits");
  for (const auto& entry : limits) {
    const std::string_view resource = entry.key();
    const json::object limit = object_field(limits, resource);
    text += fmt::format("{}{} {} of {}", text.empty() ? "" : ", ", resource,
                        number_field(limit, "used"), number_field(limit, "max"));
  }
  if (text.empty()) {
    return;
  }
  if (const uint64_t queued = number_field(upstream, "queued"); queued != 0) {
    text += fmt::format(", {} waiting", queued);
  }
  environment.out << fmt::format("{:<20} {}\n", "", text);
}

/// Those of routes that are not closed.
void print_route_circuits(const json::object& status, const Palette& palette,
                          const Environment& environment) {
  bool headed = false;
  for (const json::object& route : objects_field(status, "routes")) {
    const json::object circuit = object_field(route, "circuit_breaker");
    if (text_field(circuit, "state") == "closed") {
      continue;
    }
    if (!std::exchange(headed, true)) {
      environment.out << fmt::format("\n{}{:<20} {}{}\n", palette.bold, "ROUTE", "STATE",
                                     palette.off);
    }
    print_circuit(text_field(route, "route"), circuit, palette, environment);
  }
}

void print_adaptive(const json::object& adaptive, const Environment& environment) {
  const auto ms = [&](std::string_view key) {
    return static_cast<double>(number_field(adaptive, key)) / 1000;
  };
  environment.out << fmt::format(
      "{:<20} concurrency {} of {}, latency {:.1f} ms, {:.1f} ms at rest\n", "",
      number_field(adaptive, "under_way"), number_field(adaptive, "limit"), ms("latency_us"),
      ms("baseline_us"));
}

void print_admission(const json::object& admission, const Palette& palette,
                     const Environment& environment) {
  if (admission.empty()) {
    return;
  }
  const bool shadow = text_field(admission, "mode") == "shadow";
  const uint64_t refused = number_field(admission, shadow ? "shadow_rejected" : "rejected");
  environment.out << fmt::format(
      "{:<20} {}admission {} {}{}\n", "", refused != 0 ? palette.yellow : palette.dim,
      shadow ? "would have refused" : "has refused", refused, palette.off);
}

/// What is to be known of an endpoint beside its address: " (draining)".
std::string endpoint_note(const json::object& endpoint) {
  const std::string order = text_field(endpoint, "order");
  std::string note = order == "drain" ? "draining" : order == "maint" ? "maintenance" : "";
  const auto add = [&](std::string_view what) {
    note += (note.empty() ? "" : ", ") + std::string(what);
  };
  if (endpoint.contains("ejected_for_ms")) {
    add("ejected");
  }
  if (text_field(endpoint, "check") == "bad") {
    const auto checks = objects_field(endpoint, "checks");
    add("unhealthy: " + (checks.empty() ? "" : text_field(checks.front(), "reason")));
  }
  return note.empty() ? "" : " (" + note + ")";
}

void print_panic(const json::object& upstream, const Palette& palette,
                 const Environment& environment) {
  for (const json::object& level : objects_field(upstream, "levels")) {
    if (flag_field(level, "panic") && number_field(level, "load_percent") != 0) {
      environment.out << fmt::format(
          "{:<20} {}panic: {} of {} endpoints are well, all are used{}\n", "", palette.red,
          number_field(level, "well"), number_field(level, "endpoints"), palette.off);
    }
  }
}

/// Nothing while all is well.
void print_discovery(const json::object& discovery, const Palette& palette,
                     const Environment& environment) {
  const std::string state = text_field(discovery, "state");
  const std::string source = text_field(discovery, "source");
  if (!state.empty() && state != "fresh") {
    const std::string error = text_field(discovery, "error");
    environment.out << fmt::format(
        "{:<20} {}{}: {}; {} instances as they were {}{}\n", "", palette.red, source,
        error.empty() ? "no answer yet" : error, number_field(discovery, "instances"),
        flag_field(discovery, "from_cache") ? "known to an earlier process" : "known last",
        palette.off);
  }
  for (const json::object& each : objects_field(discovery, "refused")) {
    environment.out << fmt::format("{:<20} {}{}: {}{}\n", "", palette.yellow,
                                   text_field(each, "key"), text_field(each, "reason"),
                                   palette.off);
  }
}

void print_upstreams(const json::object& status, const Palette& palette,
                     const Environment& environment) {
  environment.out << fmt::format("\n{}{:<20} {}{}\n", palette.bold, "UPSTREAM", "ENDPOINTS",
                                 palette.off);
  for (const json::object& upstream : objects_field(status, "upstreams")) {
    std::string endpoints;
    for (const json::object& endpoint : objects_field(upstream, "endpoints")) {
      endpoints += (endpoints.empty() ? "" : ", ") + text_field(endpoint, "address");
      endpoints += endpoint_note(endpoint);
    }
    environment.out << fmt::format("{:<20} {}\n", text_field(upstream, "name"),
                                   endpoints.empty() ? "none: requests get 503" : endpoints);
    print_panic(upstream, palette, environment);
    if (upstream.contains("circuit_breaker")) {
      print_circuit("", object_field(upstream, "circuit_breaker"), palette, environment);
    }
    print_resources(upstream, environment);
    if (upstream.contains("adaptive_concurrency")) {
      print_adaptive(object_field(upstream, "adaptive_concurrency"), environment);
    }
    print_admission(object_field(upstream, "admission"), palette, environment);
    print_discovery(object_field(upstream, "discovery"), palette, environment);
    for (const json::object& name : objects_field(upstream, "names")) {
      if (const std::string error = text_field(name, "error"); !error.empty()) {
        environment.out << fmt::format("{:<20} {}{}: {}{}\n", "", palette.yellow,
                                       text_field(name, "name"), error, palette.off);
      }
    }
  }
}

void print_shards(const json::object& status, const Palette& palette,
                  const Environment& environment) {
  environment.out << fmt::format("\n{}{:<6} {:>4} {:>11} {:>12} {:>8} {:>14}{}\n", palette.bold,
                                 "SHARD", "CPU", "GENERATION", "CONNECTIONS", "ACTIVE", "REQUESTS",
                                 palette.off);
  for (const json::object& shard : objects_field(status, "shards")) {
    const int64_t cpu = signed_field(shard, "cpu");
    environment.out << fmt::format(
        "{:<6} {:>4} {:>11} {:>12} {:>8} {:>14}\n", number_field(shard, "id"),
        cpu < 0 ? "-" : std::to_string(cpu), number_field(shard, "generation"),
        number_field(shard, "connections"), number_field(shard, "requests_active"),
        number_field(shard, "requests_total"));
  }
}

void print_syslog(const json::object& audit, const Palette& palette,
                  const Environment& environment) {
  const json::object syslog = object_field(audit, "syslog");
  if (syslog.empty()) {
    return;
  }
  const bool connected = flag_field(syslog, "connected");
  environment.out << fmt::format("{:<20} {:>14} {:>10} {:>10}  {}{}{}\n",
                                 "syslog " + text_field(syslog, "server"),
                                 number_field(syslog, "sent"), number_field(syslog, "dropped"), "",
                                 connected ? palette.green : palette.red,
                                 connected ? "connected" : "not connected", palette.off);
}

void print_audit(const json::object& status, const Palette& palette,
                 const Environment& environment) {
  const json::object audit = object_field(status, "audit");
  if (audit.empty()) {
    return;
  }
  const bool failing = flag_field(audit, "failing");
  const uint64_t dropped = number_field(audit, "dropped");
  environment.out << fmt::format(
      "\n{}{:<20} {:>14} {:>10} {:>10}  STATE{}\n{:<20} {:>14} {:>10} {:>10}  {}{}{}\n",
      palette.bold, "AUDIT LOG", "RECORDS", "LOST", "SPILLED", palette.off,
      text_field(audit, "path"), number_field(audit, "records"), dropped,
      number_field(audit, "spilled_bytes"), failing ? palette.red : palette.green,
      failing ? "cannot write" : "writing", palette.off);
  print_syslog(audit, palette, environment);
}

/// The keys of token issuers.
void print_key_sets(const json::object& status, const Palette& palette,
                    const Environment& environment) {
  const auto sets = objects_field(status, "key_sets");
  if (sets.empty()) {
    return;
  }
  environment.out << fmt::format("\n{}{:<20} {:>5} {:>10}  STATE{}\n", palette.bold,
                                 "AUTHENTICATOR", "KEYS", "AGE", palette.off);
  for (const json::object& set : sets) {
    const std::string error = text_field(set, "error");
    environment.out << fmt::format(
        "{:<20} {:>5} {:>10}  {}{}{}\n", text_field(set, "authenticator"),
        number_field(set, "keys"), span_text(number_field(set, "age_ms") / 1000),
        error.empty() ? palette.green : palette.red, error.empty() ? "fresh" : error, palette.off);
  }
}

void print_refused(const json::object& store, const Palette& palette,
                   const Environment& environment) {
  for (const json::object& each : objects_field(store, "refused")) {
    environment.out << fmt::format("  {}refused{} {}: {}\n", palette.red, palette.off,
                                   text_field(each, "key"), text_field(each, "reason"));
  }
}

void print_fleet(const json::object& fleet, const Palette& palette,
                 const Environment& environment) {
  if (fleet.empty()) {
    return;
  }
  const std::string error = text_field(fleet, "error");
  environment.out << fmt::format("  node {}{}: {}{}{}\n", text_field(fleet, "node"),
                                 flag_field(fleet, "leads") ? ", which leads" : "",
                                 error.empty() ? palette.green : palette.red,
                                 error.empty() ? "joined" : error, palette.off);
  const json::object keys = object_field(fleet, "shared_keys");
  if (!keys.empty()) {
    const std::string refusal = text_field(keys, "error");
    environment.out << fmt::format("  shared keys: generation {}, {} since {}{}{}{}\n",
                                   number_field(keys, "generation"), text_field(keys, "sealing"),
                                   text_field(keys, "since"), palette.red,
                                   refusal.empty() ? "" : "; " + refusal, palette.off);
  }
  const json::object rollout = object_field(fleet, "rollout");
  if (!rollout.empty()) {
    const std::string refusal = text_field(rollout, "refusal");
    const std::string cause = text_field(rollout, "cause");
    environment.out << fmt::format("  rollout {}: {}{}{}{}\n", text_field(rollout, "id"),
                                   text_field(rollout, "state"), cause.empty() ? "" : ", " + cause,
                                   flag_field(rollout, "in_force") ? ", in force here" : "",
                                   refusal.empty() ? "" : ", refused here: " + refusal);
  }
}

void print_logouts(const json::object& status, const Palette& palette,
                   const Environment& environment) {
  const json::object logouts = object_field(status, "logouts");
  if (logouts.empty()) {
    return;
  }
  const bool failing = flag_field(logouts, "failing");
  const json::object fleet = object_field(logouts, "fleet");
  const std::string error = text_field(fleet, "error");
  environment.out << fmt::format(
      "\n{}{:<32} {:>10} {:>10} {:>10}  STATE{}\n{:<32} {:>10} {:>10} {:>10}  {}{}{}\n",
      palette.bold, "SESSIONS ENDED BY PROVIDERS", "REMEMBERED", "NO ROOM", "WAITING", palette.off,
      fleet.empty() ? "of this node" : "of the fleet", number_field(logouts, "remembered"),
      number_field(logouts, "without_room"), number_field(fleet, "waiting"),
      failing || !error.empty() ? palette.red : palette.green,
      failing          ? "cannot be written to the disk"
      : !error.empty() ? error
                       : "kept",
      palette.off);
}

void print_config_center(const json::object& status, const Palette& palette,
                         const Environment& environment) {
  const json::object center = object_field(status, "config_center");
  if (center.empty()) {
    return;
  }
  const std::string error = text_field(center, "error");
  const bool connected = flag_field(center, "connected");
  environment.out << fmt::format(
      "\n{}{:<32} {:>9} {:>10} {:>10}  STATE{}\n{:<32} {:>9} {:>10} {:>10}  {}{}{}{}\n",
      palette.bold, "CONFIG CENTER", "DOCUMENTS", "REVISION", "IN FORCE", palette.off,
      text_field(center, "endpoint"), number_field(center, "documents"),
      number_field(center, "revision"), number_field(center, "applied"),
      connected ? palette.green : palette.red, connected ? "connected" : error, palette.off,
      flag_field(center, "from_cache") ? ", from the cache" : "");
  if (flag_field(center, "lost_store")) {
    environment.out << fmt::format(
        "  {}the store has no documents any more; those in force stay{}\n", palette.red,
        palette.off);
  }
  print_refused(center, palette, environment);
  print_fleet(object_field(center, "fleet"), palette, environment);
}

void print_certificate_alarms(const json::object& status, const Palette& palette,
                              const Environment& environment) {
  const std::vector<json::object> alarms = objects_field(status, "certificate_alarms");
  if (!alarms.empty()) {
    environment.out << fmt::format("\n{}{:<44} {:<10} {:>9}  NODES{}\n", palette.bold,
                                   "CERTIFICATE THAT ENDS SOON", "NOT AFTER", "DAYS LEFT",
                                   palette.off);
  }
  for (const json::object& each : alarms) {
    std::string nodes;
    for (const std::string& node : texts_field(each, "nodes")) {
      nodes += (nodes.empty() ? "" : ", ") + visible(node);
    }
    environment.out << fmt::format("{:<44} {}{:<10} {:>9}{}  {}\n",
                                   visible(text_field(each, "subject")), palette.red,
                                   visible(text_field(each, "not_after")),
                                   signed_field(each, "days_left"), palette.off, nodes);
  }
}

void print_documents(const json::object& status, const Palette& palette,
                     const Environment& environment) {
  const json::object documents = object_field(status, "documents");
  if (documents.empty()) {
    return;
  }
  environment.out << fmt::format(
      "\n{}{:<32} {:>9} {:>10}  LAST CHANGE{}\n{:<32} {:>9} {:>10}  {} {}\n", palette.bold,
      "DOCUMENTS", "NUMBER", "GENERATION", palette.off, "of this machine",
      number_field(documents, "documents"), number_field(documents, "generation"),
      text_field(documents, "time"), text_field(documents, "author"));
  print_refused(documents, palette, environment);
}

}  // namespace

void print_status(const json::object& status, const Environment& environment) {
  const Palette palette(environment.color_out);
  print_summary(status, palette, environment);
  print_overload(status, palette, environment);
  print_listeners(status, palette, environment);
  print_certificate_alarms(status, palette, environment);
  print_upstreams(status, palette, environment);
  print_route_circuits(status, palette, environment);
  if (status.contains("releases")) {
    environment.out << '\n';
    print_releases(status, palette, environment);
  }
  print_limits(status, palette, environment);
  print_stores(status, palette, environment);
  print_key_sets(status, palette, environment);
  print_logouts(status, palette, environment);
  print_config_center(status, palette, environment);
  print_documents(status, palette, environment);
  print_shards(status, palette, environment);
  print_audit(status, palette, environment);
}

}  // namespace hangu::cli
