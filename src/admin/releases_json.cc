#include "admin/releases_json.h"

#include <algorithm>
#include <chrono>
#include <optional>

#include <fmt/format.h>

#include "hangu/admin/json.h"
#include "hangu/admin/query.h"

namespace hangu::admin {
namespace {

namespace json = boost::json;

using control::ReleaseStatus;

/// Of a share in buckets.
double percent(uint32_t share) {
  return static_cast<double>(share) * 100 / policy::TrafficSplit::kBuckets;
}

double percent(config::Percent share) {
  return percent(policy::buckets_of(share));
}

double milliseconds(Duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

json::object side(const control::ReleaseSide& side) {
  return {{"requests", side.requests},
          {"errors", side.errors},
          {"p99_ms", static_cast<double>(side.p99_us) / 1000}};
}

json::object release_json(const ReleaseStatus& status) {
  const policy::ReleaseState& state = status.state;
  json::object out = {
      {"route", status.route},
      {"upstream", status.upstream},
      {"version", status.version},
      {"state", json::string(policy::to_string(state.stage))},
      {"share", control::share_text(state.share)},
      {"share_percent", percent(state.share)},
      {"cause", state.cause},
      {"numbers", state.numbers},
      {"actor", state.actor},
      {"changed", format_wall_time(WallTime(std::chrono::milliseconds(state.changed_ms)))},
      {"revision", state.revision},
      {"ramp",
       {{"from_percent", percent(status.ramp.from)},
        {"until_percent", percent(status.ramp.until)},
        {"step_percent", percent(status.ramp.step)},
        {"every_ms", milliseconds(status.ramp.every)}}}};
  const bool grows = state.stage == policy::ReleaseStage::kRamping ||
                     state.stage == policy::ReleaseStage::kWaiting;
  if (grows) {
    out["next_step_ms"] = milliseconds(status.until_step);
  }
  out["guard"] =
      status.guard.empty() ? json::value(nullptr) : json::value(json::string(status.guard));
  out["released"] = side(status.released);
  out["others"] = side(status.others);
  return out;
}

std::string labels_of(const ReleaseStatus& status) {
  return fmt::format("route=\"{}\",upstream=\"{}\"", status.route, status.upstream);
}

std::string head(std::string_view name, std::string_view type, std::string_view help) {
  return fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n", name, help, type);
}

}  // namespace

json::array releases_json(const std::vector<ReleaseStatus>& releases) {
  json::array all;
  for (const ReleaseStatus& each : releases) {
    all.push_back(release_json(each));
  }
  return all;
}

Reply order_release(const Caller& caller, std::string_view query, control::Daemon& daemon) {
  const auto fields = parse_query(query);
  if (!fields) {
    return problem(400, "admin.bad_query", "the query holds a broken escape");
  }
  std::string route;
  std::optional<policy::ReleaseOrder> order;
  for (const auto& [key, value] : *fields) {
    if (key == "route") {
      route = value;
    } else if (key == "order") {
      order = policy::release_order(value);
    } else {
      return problem(400, "admin.bad_query", fmt::format("no parameter is called \"{}\"", key));
    }
  }
  if (route.empty() || !order) {
    return problem(400, "admin.bad_query",
                   "needs a route, and an order: pause, resume, promote or abort");
  }
  const std::vector<ReleaseStatus> known = daemon.releases().status();
  const bool is_known = std::any_of(known.begin(), known.end(),
                                    [&](const ReleaseStatus& each) { return each.route == route; });
  if (!is_known) {
    return problem(404, "admin.no_release", fmt::format("route \"{}\" has no release", route));
  }
  if (auto done = daemon.releases().order(route, *order, caller.actor); !done) {
    return problem(409, "release.refused", done.error());
  }
  const json::object body = {{"releases", releases_json(daemon.releases().status())}};
  return {200, "application/json", json::serialize(body) + "\n", {}};
}

std::string release_metrics(const std::vector<ReleaseStatus>& releases) {
  if (releases.empty()) {
    return "";
  }
  std::string text = head("hangu_release_share", "gauge",
                          "Part of a route's requests that the released upstream gets by weight.");
  for (const ReleaseStatus& each : releases) {
    text += fmt::format("hangu_release_share{{{}}} {}\n", labels_of(each),
                        percent(each.state.share) / 100);
  }
  text += head("hangu_release_state", "gauge", "1 for the state that a release is in.");
  for (const ReleaseStatus& each : releases) {
    for (const policy::ReleaseStage stage : policy::kReleaseStages) {
      text += fmt::format("hangu_release_state{{{},state=\"{}\"}} {}\n", labels_of(each),
                          policy::to_string(stage), each.state.stage == stage ? 1 : 0);
    }
  }
  text += head("hangu_release_decisions_total", "counter",
               "What the ramp, the guard or operators have decided, in this process.");
  for (const ReleaseStatus& each : releases) {
    for (size_t i = 0; i < each.decisions.size(); ++i) {
      text += fmt::format(
          "hangu_release_decisions_total{{{},decision=\"{}\"}} {}\n", labels_of(each),
          policy::to_string(static_cast<policy::ReleaseDecision>(i)), each.decisions[i]);
    }
  }
  return text;
}

}  // namespace hangu::admin
