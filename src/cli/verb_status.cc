// `hangu status`: what the running process is doing; `--ready` is the health check of containers.
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "hangu/admin/json.h"

#include "cli/admin_client.h"
#include "cli/json_fields.h"
#include "cli/terminal.h"
#include "cli/verbs.h"

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

void print_limits(const json::object& upstream, const Environment& environment) {
  std::string text;
  for (const auto& [resource, limit] : object_field(upstream, "limits")) {
    text += fmt::format("{}{} {} of {}", text.empty() ? "" : ", ", std::string_view(resource),
                        number_field(limit.as_object(), "used"),
                        number_field(limit.as_object(), "max"));
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

/// What the process is short of, if anything.
void print_overload(const json::object& status, const Palette& palette,
                    const Environment& environment) {
  const json::value* const found = status.if_contains("overload");
  if (found == nullptr) {
    return;
  }
  const json::object& overload = found->as_object();
  for (const std::string_view measure : {"memory", "descriptors"}) {
    const json::object& load = overload.at(measure).as_object();
    if (const std::string step = text_field(load, "step"); step != "none") {
      environment.out << fmt::format("{}overload: {} {} of {}: {}{}\n", palette.yellow, measure,
                                     number_field(load, "value"), number_field(load, "max"), step,
                                     palette.off);
    }
  }
  for (const json::object& shard : objects_field(overload, "shards")) {
    if (const std::string step = text_field(shard, "step"); step != "none") {
      environment.out << fmt::format("{}overload: shard {} late by {} us: {}{}\n", palette.yellow,
                                     number_field(shard, "id"), number_field(shard, "delay_us"),
                                     step, palette.off);
    }
  }
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
    if (const json::value* circuit = upstream.if_contains("circuit_breaker")) {
      print_circuit("", circuit->as_object(), palette, environment);
    }
    print_limits(upstream, environment);
    if (const json::value* adaptive = upstream.if_contains("adaptive_concurrency")) {
      print_adaptive(adaptive->as_object(), environment);
    }
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

int print_readiness(const std::string& address, const Environment& environment) {
  const auto reply = ask_admin(address, "GET", "/ready");
  if (!reply) {
    print_error(environment, reply.error());
    return kRuntimeFailure;
  }
  if (reply->status == 200) {
    environment.out << "ready\n";
    return kOk;
  }
  environment.out << "not ready: " << text_field(object_from(reply->body), "detail") << '\n';
  return kRuntimeFailure;
}

}  // namespace

int status(const StatusOptions& options, const Environment& environment) {
  const auto address = find_admin(options.target);
  if (!address) {
    print_error(environment, address.error());
    return kRuntimeFailure;
  }
  if (options.ready) {
    return print_readiness(*address, environment);
  }
  const auto reply = ask_admin(*address, "GET", "/status");
  if (!reply || reply->status != 200) {
    print_error(environment, reply ? text_field(object_from(reply->body), "detail") : reply.error(),
                "is it running? `hangu run` starts it");
    return kRuntimeFailure;
  }
  const json::object body = object_from(reply->body);
  if (options.json) {
    environment.out << admin::pretty(body) << '\n';
    return kOk;
  }
  const Palette palette(environment.color_out);
  print_summary(body, palette, environment);
  print_overload(body, palette, environment);
  print_listeners(body, palette, environment);
  print_upstreams(body, palette, environment);
  print_route_circuits(body, palette, environment);
  print_key_sets(body, palette, environment);
  print_shards(body, palette, environment);
  print_audit(body, palette, environment);
  return kOk;
}

}  // namespace hangu::cli
