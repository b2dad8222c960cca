#include "admin/plugins_json.h"

#include <optional>
#include <string>

#include <fmt/format.h>

#include "hangu/admin/json.h"
#include "hangu/admin/query.h"
#include "hangu/stats/registry.h"

namespace hangu::admin {
namespace {

namespace json = boost::json;

/// What it did since the process began, whatever its version.
json::object counts(const stats::PluginStats& stats) {
  struct Sums {
    uint64_t calls = 0;
    uint64_t time_ns = 0;
    uint64_t errors = 0;
    uint64_t overruns = 0;
    uint64_t replies = 0;
    uint64_t shadow_replies = 0;
  } sums;

  for (const stats::PluginSlot& slot : stats.slots()) {
    sums.calls += slot.calls.value();
    sums.time_ns += slot.time_ns.value();
    sums.errors += slot.errors.value();
    sums.overruns += slot.overruns.value();
    sums.replies += slot.replies.value();
    sums.shadow_replies += slot.shadow_replies.value();
  }
  return {{"calls", sums.calls},
          {"time_ns", sums.time_ns},
          {"errors", sums.errors},
          {"overruns", sums.overruns},
          {"replies", sums.replies},
          {"shadow_replies", sums.shadow_replies},
          {"allocations", stats.allocations.load()},
          {"allocated_bytes", stats.allocated_bytes.load()},
          {"swaps", stats.swaps.load()}};
}

}  // namespace

json::object plugins_json(control::Daemon& daemon) {
  json::array all;
  const stats::Registry* const registry = daemon.registry();
  if (registry == nullptr) {
    return {{"plugins", std::move(all)}};
  }
  const auto stats = registry->plugins();
  for (const plugin::PluginStatus& status : daemon.status().gateway.plugins) {
    json::object each = {{"name", status.name},
                         {"path", status.path},
                         {"title", status.title},
                         {"version", status.version},
                         {"sha256", status.sha256},
                         {"signed_by", status.signed_by},
                         {"since", format_wall_time(status.since)},
                         {"previous_version", status.previous},
                         {"previous_sha256", status.previous_sha256},
                         {"versions_loaded", status.versions},
                         {"instances", status.instances},
                         {"error", status.error}};
    if (const auto found = stats.find(status.name); found != stats.end()) {
      each["counts"] = counts(*found->second);
    }
    all.push_back(std::move(each));
  }
  return {{"plugins", std::move(all)}};
}

Reply change_plugin(const Caller& caller, std::string_view query, control::Daemon& daemon) {
  const auto fields = parse_query(query);
  if (!fields) {
    return problem(400, "admin.bad_query", "the query holds a broken escape");
  }
  std::string name;
  std::optional<server::PluginChange> change;
  for (const auto& [key, value] : *fields) {
    if (key == "name") {
      name = value;
    } else if (key == "change") {
      change = value == "swap"       ? std::optional(server::PluginChange::kSwap)
               : value == "rollback" ? std::optional(server::PluginChange::kRollback)
                                     : std::nullopt;
    } else {
      return problem(400, "admin.bad_query", fmt::format("no parameter is called \"{}\"", key));
    }
  }
  if (name.empty() || !change) {
    return problem(400, "admin.bad_query", "needs a name, and a change: swap or rollback");
  }
  const auto swap = daemon.change_plugin(name, *change, caller.actor);
  if (!swap) {
    return problem(409, "plugin.not_changed", swap.error());
  }
  json::object body = plugins_json(daemon);
  body["changed"] = swap->before != swap->after;
  return {200, "application/json", json::serialize(body) + "\n", {}};
}

}  // namespace hangu::admin
