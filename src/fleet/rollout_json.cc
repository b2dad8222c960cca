#include <chrono>

#include <boost/json.hpp>

#include "hangu/fleet/rollout.h"

#include "fleet/certificates_json.h"
#include "fleet/json_fields.h"
#include "fleet/push_record.h"

namespace hangu::fleet {
namespace {

namespace json = boost::json;
using std::chrono::milliseconds;

constexpr Rollout::State kStates[] = {Rollout::State::kRunning,    Rollout::State::kPaused,
                                      Rollout::State::kHeld,       Rollout::State::kComplete,
                                      Rollout::State::kRolledBack, Rollout::State::kAborted};

uint64_t in_ms(Duration duration) {
  return static_cast<uint64_t>(std::chrono::duration_cast<milliseconds>(duration).count());
}

json::array texts_json(const std::vector<std::string>& texts) {
  json::array out;
  for (const std::string& each : texts) {
    out.emplace_back(each);
  }
  return out;
}

json::object plan_json(const config::RolloutPlan& plan) {
  return {{"stages", texts_json(plan.stages)},
          {"every_ms", in_ms(plan.every)},
          {"ready_within_ms", in_ms(plan.ready_within)},
          {"ready_millionths", plan.ready.millionths},
          {"requests_min", plan.guard.requests_min},
          {"error_ratio_delta_millionths", plan.guard.error_ratio_delta.millionths},
          {"p99_delta_millionths", plan.guard.p99_delta.millionths},
          {"hold", plan.guard.hold}};
}

config::RolloutPlan read_plan(const Fields& fields) {
  const auto share = [&fields](std::string_view name) {
    return config::Percent{static_cast<uint32_t>(fields.number(name))};
  };
  config::RolloutPlan plan;
  plan.stages = fields.texts("stages");
  plan.every = milliseconds(fields.number("every_ms"));
  plan.ready_within = milliseconds(fields.number("ready_within_ms"));
  plan.ready = share("ready_millionths");
  plan.guard.requests_min = fields.number("requests_min");
  plan.guard.error_ratio_delta = share("error_ratio_delta_millionths");
  plan.guard.p99_delta = share("p99_delta_millionths");
  plan.guard.hold = fields.flag("hold");
  return plan;
}

json::object served_json(const Served& served) {
  return {{"requests", served.requests}, {"errors", served.errors}, {"p99_us", served.p99_us}};
}

Served read_served(const Fields& fields) {
  return {.requests = fields.number("requests"),
          .errors = fields.number("errors"),
          .p99_us = fields.number("p99_us")};
}

std::optional<Rollout::State> read_state(std::string_view text) {
  for (const Rollout::State each : kStates) {
    if (to_string(each) == text) {
      return each;
    }
  }
  return std::nullopt;
}

}  // namespace

std::string to_json(const Rollout& rollout) {
  return json::serialize(json::object{{"id", rollout.id},
                                      {"author", rollout.author},
                                      {"time", rollout.time},
                                      {"message", rollout.message},
                                      {"state", to_string(rollout.state)},
                                      {"cause", rollout.cause},
                                      {"stage", rollout.stage},
                                      {"begun", rollout.begun},
                                      {"everyone", rollout.everyone},
                                      {"nodes", texts_json(rollout.nodes)},
                                      {"ready", rollout.ready},
                                      {"since_ms", rollout.since_ms},
                                      {"overruled", rollout.overruled},
                                      {"plan", plan_json(rollout.plan)},
                                      {"documents", documents_json(rollout.documents)}});
}

std::optional<Rollout> read_rollout(std::string_view text) {
  json::error_code error;
  const json::value value = json::parse(text, error);
  const Fields fields(error ? nullptr : &value);
  const auto state = read_state(fields.text("state"));
  if (!fields.found() || !state || fields.text("id").empty()) {
    return std::nullopt;
  }
  Rollout rollout;
  rollout.id = fields.text("id");
  rollout.author = fields.text("author");
  rollout.time = fields.text("time");
  rollout.message = fields.text("message");
  rollout.state = *state;
  rollout.cause = fields.text("cause");
  rollout.stage = fields.number("stage");
  rollout.begun = fields.flag("begun");
  rollout.everyone = fields.flag("everyone");
  rollout.nodes = fields.texts("nodes");
  rollout.ready = fields.flag("ready");
  rollout.since_ms = fields.number("since_ms");
  rollout.overruled = fields.flag("overruled");
  rollout.plan = read_plan(fields.in("plan"));
  rollout.documents = read_documents(fields.object());
  return rollout;
}

std::string to_json(const NodeReport& report) {
  json::object releases;
  for (const auto& [route, seen] : report.releases) {
    releases[route] = seen;
  }
  return json::serialize(json::object{{"node", report.node},
                                      {"labels", texts_json(report.labels)},
                                      {"version", report.version},
                                      {"revision", report.revision},
                                      {"rollout", report.rollout},
                                      {"ready", report.ready},
                                      {"refusal", report.refusal},
                                      {"now", served_json(report.now)},
                                      {"before", served_json(report.before)},
                                      {"releases", std::move(releases)},
                                      {"keys", report.keys},
                                      {"certificates", certificates_json(report.certificates)}});
}

std::optional<NodeReport> read_report(std::string_view text) {
  json::error_code error;
  const json::value value = json::parse(text, error);
  const Fields fields(error ? nullptr : &value);
  if (!fields.found() || fields.text("node").empty()) {
    return std::nullopt;
  }
  NodeReport report;
  report.node = fields.text("node");
  report.labels = fields.texts("labels");
  report.version = fields.text("version");
  report.revision = static_cast<int64_t>(fields.number("revision"));
  report.rollout = fields.text("rollout");
  report.ready = fields.flag("ready");
  report.refusal = fields.text("refusal");
  report.now = read_served(fields.in("now"));
  report.before = read_served(fields.in("before"));
  if (const Fields releases = fields.in("releases"); releases.found()) {
    for (const auto& each : releases.object()) {
      report.releases[std::string(each.key())] = releases.text(std::string_view(each.key()));
    }
  }
  report.keys = fields.number("keys");
  report.certificates = read_certificates(fields.all("certificates"));
  return report;
}

}  // namespace hangu::fleet
