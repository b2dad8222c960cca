#include "cli/status_limits.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "cli/json_fields.h"

namespace hangu::cli {
namespace {

namespace json = boost::json;

/// "-" for what does not happen in this mode.
std::string count_text(const json::object& limit, std::string_view key, bool happens) {
  return happens ? std::to_string(number_field(limit, key)) : "-";
}

/// Short enough for a column: "340 B", "12.4 MiB".
std::string bytes_text(uint64_t bytes) {
  constexpr std::array<std::string_view, 5> kUnits = {"KiB", "MiB", "GiB", "TiB", "PiB"};
  if (bytes < 1024) {
    return fmt::format("{} B", bytes);
  }
  double value = static_cast<double>(bytes) / 1024;
  size_t unit = 0;
  while (value >= 1024 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  return fmt::format("{:.1f} {}", value, kUnits[unit]);
}

struct Mode {
  explicit Mode(const json::object& limit)
      : text(text_field(limit, "mode")) {}

  /// Processes of older versions do not tell.
  bool enforces() const { return text.empty() || text == "enforce"; }

  bool is_shadow() const { return text == "shadow"; }

  /// At the end of a line: nothing in the usual case.
  std::string note() const { return enforces() ? "" : "  " + text; }

  std::string text;
};

void print_head(std::string_view head, const Palette& palette, const Environment& environment) {
  environment.out << fmt::format("\n{}{}{}\n", palette.bold, head, palette.off);
}

void print_rate_limits(const json::object& status, const Palette& palette,
                       const Environment& environment) {
  const std::vector<json::object> limits = objects_field(status, "rate_limits");
  if (limits.empty()) {
    return;
  }
  print_head(
      fmt::format("{:<20} {:>14} {:>10} {:>10}", "RATE LIMIT", "ALLOWED", "REFUSED", "IN SHADOW"),
      palette, environment);
  for (const json::object& limit : limits) {
    const Mode mode(limit);
    const uint64_t without_store = number_field(limit, "without_store");
    environment.out << fmt::format(
        "{:<20} {:>14} {:>10} {:>10}{}{}\n", text_field(limit, "name"),
        number_field(limit, "allowed"), count_text(limit, "rejected", mode.enforces()),
        count_text(limit, "shadow_rejected", mode.is_shadow()), mode.note(),
        without_store == 0 ? "" : fmt::format("  {} without its store", without_store));
  }
}

void print_concurrency_limits(const json::object& status, const Palette& palette,
                              const Environment& environment) {
  const std::vector<json::object> limits = objects_field(status, "concurrency_limits");
  if (limits.empty()) {
    return;
  }
  print_head(fmt::format("{:<20} {:>14} {:>10} {:>10} {:>8} {:>12}", "CONCURRENCY LIMIT", "ALLOWED",
                         "REFUSED", "IN SHADOW", "ACTIVE", "MAX OF A KEY"),
             palette, environment);
  for (const json::object& limit : limits) {
    const Mode mode(limit);
    environment.out << fmt::format(
        "{:<20} {:>14} {:>10} {:>10} {:>8} {:>12}{}\n", text_field(limit, "name"),
        number_field(limit, "allowed"), count_text(limit, "rejected", mode.enforces()),
        count_text(limit, "shadow_rejected", mode.is_shadow()), number_field(limit, "active"),
        number_field(limit, "max"), mode.note());
  }
}

void print_bandwidth_limits(const json::object& status, const Palette& palette,
                            const Environment& environment) {
  const std::vector<json::object> limits = objects_field(status, "bandwidth_limits");
  if (limits.empty()) {
    return;
  }
  print_head(fmt::format("{:<20} {:>14} {:>10} {:>10} {:>10}", "BANDWIDTH LIMIT", "REQUESTS",
                         "RESPONSES", "PAUSES", "IN SHADOW"),
             palette, environment);
  for (const json::object& limit : limits) {
    const Mode mode(limit);
    environment.out << fmt::format(
        "{:<20} {:>14} {:>10} {:>10} {:>10}{}\n", text_field(limit, "name"),
        bytes_text(number_field(limit, "request_bytes")),
        bytes_text(number_field(limit, "response_bytes")),
        count_text(limit, "pauses", mode.enforces()),
        count_text(limit, "shadow_pauses", mode.is_shadow()), mode.note());
  }
}

void print_forward_auths(const json::object& status, const Palette& palette,
                         const Environment& environment) {
  const std::vector<json::object> services = objects_field(status, "forward_auths");
  if (services.empty()) {
    return;
  }
  print_head(fmt::format("{:<20} {:>14} {:>10} {:>10} {:>10} {:>10} {:>8}", "FORWARD AUTH",
                         "ALLOWED", "REFUSED", "IN SHADOW", "CACHED", "ERRORS", "ACTIVE"),
             palette, environment);
  for (const json::object& service : services) {
    const Mode mode(service);
    environment.out << fmt::format(
        "{:<20} {:>14} {:>10} {:>10} {:>10} {:>10} {:>8}{}\n", text_field(service, "name"),
        number_field(service, "allowed"), count_text(service, "refused", mode.enforces()),
        count_text(service, "shadow_refused", mode.is_shadow()), number_field(service, "cached"),
        number_field(service, "errors"), number_field(service, "active"), mode.note());
  }
}

struct Measure {
  std::string_view name;
  bool in_bytes = false;
};

constexpr std::array kMeasures = {Measure{.name = "memory", .in_bytes = true},
                                  Measure{.name = "descriptors"}};

/// "memory 51.2 MiB of 4.0 GiB (1 %)".
std::string load_text(const Measure& measure, const json::object& load) {
  const uint64_t value = number_field(load, "value");
  const uint64_t max = number_field(load, "max");
  const std::string percent = max == 0 ? "" : fmt::format(" ({} %)", value * 100 / max);
  return measure.in_bytes ? fmt::format("{} {} of {}{}", measure.name, bytes_text(value),
                                        bytes_text(max), percent)
                          : fmt::format("{} {} of {}{}", measure.name, value, max, percent);
}

}  // namespace

void print_limits(const json::object& status, const Palette& palette,
                  const Environment& environment) {
  print_forward_auths(status, palette, environment);
  print_rate_limits(status, palette, environment);
  print_concurrency_limits(status, palette, environment);
  print_bandwidth_limits(status, palette, environment);
}

void print_stores(const json::object& status, const Palette& palette,
                  const Environment& environment) {
  const std::vector<json::object> stores = objects_field(status, "stores");
  if (stores.empty()) {
    return;
  }
  print_head(fmt::format("{:<20} {:<28} {:>10} {:>10}  STATE", "STORE", "ADDRESS", "ASKED", "LATE"),
             palette, environment);
  for (const json::object& store : stores) {
    const bool up = flag_field(store, "up");
    environment.out << fmt::format("{:<20} {:<28} {:>10} {:>10}  {}{}{}\n",
                                   text_field(store, "name"), text_field(store, "address"),
                                   number_field(store, "asked"), number_field(store, "late"),
                                   up ? palette.green : palette.red,
                                   up ? "up" : "down: " + text_field(store, "reason"), palette.off);
  }
}

void print_overload(const json::object& status, const Palette& palette,
                    const Environment& environment) {
  const json::object overload = object_field(status, "overload");
  if (overload.empty()) {
    return;
  }
  std::string measures;
  for (const Measure& measure : kMeasures) {
    measures += load_text(measure, object_field(overload, measure.name)) + ", ";
  }
  uint64_t delay_us = 0;
  uint64_t waiting = 0;
  for (const json::object& shard : objects_field(overload, "shards")) {
    delay_us = std::max(delay_us, number_field(shard, "delay_us"));
    waiting = std::max(waiting, number_field(shard, "accept_queue"));
  }
  environment.out << fmt::format("load        {}delay {:.1f} ms, {} to be accepted{}\n", measures,
                                 static_cast<double>(delay_us) / 1000, waiting,
                                 Mode(overload).note());
  std::vector<std::string> of_process = {"", "none"};
  for (const Measure& measure : kMeasures) {
    const json::object load = object_field(overload, measure.name);
    if (const std::string step = text_field(load, "step"); !step.empty() && step != "none") {
      environment.out << fmt::format("{}overload: {}: {}{}\n", palette.yellow,
                                     load_text(measure, load), step, palette.off);
      of_process.push_back(step);
    }
  }
  for (const json::object& shard : objects_field(overload, "shards")) {
    const std::string step = text_field(shard, "step");  // the highest, the process's among them
    if (std::find(of_process.begin(), of_process.end(), step) == of_process.end()) {
      environment.out << fmt::format(
          "{}overload: shard {}: delay {:.1f} ms, {} of {} connections to be accepted: {}{}\n",
          palette.yellow, number_field(shard, "id"),
          static_cast<double>(number_field(shard, "delay_us")) / 1000,
          number_field(shard, "accept_queue"), number_field(shard, "accept_queue_max"), step,
          palette.off);
    }
  }
}

}  // namespace hangu::cli
