// `hangu rollout`: how far a rollout is, and an operator's word on it.
#include <algorithm>
#include <chrono>
#include <functional>
#include <map>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "hangu/admin/json.h"
#include "hangu/base/visible.h"
#include "hangu/control/process.h"
#include "hangu/fleet/rollout_store.h"

#include "cli/config_store.h"
#include "cli/terminal.h"
#include "cli/verbs.h"

namespace hangu::cli {
namespace {

namespace json = boost::json;
using fleet::NodeReport;
using fleet::Rollout;
using fleet::Served;
using State = fleet::Rollout::State;

constexpr auto kFollowInterval = std::chrono::milliseconds(500);
constexpr int kUnreachableMax = 20;  // in a row, before following is given up

struct Seen {
  fleet::StoredRollout stored;
  std::vector<NodeReport> nodes;
};

Result<Seen, std::string> look(ConfigStore& store) {
  auto stored = store.ask(store.rollouts().read());
  if (!stored) {
    return Failure<std::string>{stored.error()};
  }
  auto nodes = store.ask(store.rollouts().nodes());
  if (!nodes) {
    return Failure<std::string>{nodes.error()};
  }
  return Seen{std::move(*stored), std::move(*nodes)};
}

std::string_view color_of(State state, const Palette& palette) {
  switch (state) {
    case State::kRunning:
    case State::kComplete: return palette.green;
    case State::kPaused: return palette.yellow;
    case State::kHeld:
    case State::kRolledBack:
    case State::kAborted: return palette.red;
  }
  return palette.off;
}

std::string served_text(const Served& served) {
  if (served.requests == 0) {
    return "no requests";
  }
  return fmt::format(
      "{} requests, {:.2f} % failed, p99 {:.1f} ms", served.requests,
      100.0 * static_cast<double>(served.errors) / static_cast<double>(served.requests),
      static_cast<double>(served.p99_us) / 1000);
}

std::string state_of(const Rollout& rollout, const NodeReport& node) {
  if (rollout.active() && node.rollout != rollout.id) {
    return "has not heard of it";
  }
  if (!node.refusal.empty()) {
    return "refuses it: " + visible(node.refusal);
  }
  if (node.ready) {
    return "has it";
  }
  return rollout.covers(node.node) ? "not ready yet" : "-";
}

/// "2/3 50%"
std::string stage_text(const Rollout& rollout) {
  const auto& stages = rollout.plan.stages;
  const size_t stage = std::min(rollout.stage, stages.size() - 1);
  return fmt::format("stage {}/{}, {}", stage + 1, stages.size(), visible(stages[stage]));
}

std::string headline(const Rollout& rollout, const Palette& palette) {
  const std::string cause = rollout.cause.empty() ? "" : ": " + visible(rollout.cause);
  const std::string stage = rollout.active() && !rollout.plan.stages.empty()
                                ? fmt::format(" ({})", stage_text(rollout))
                                : std::string();
  return fmt::format("{}{}{}{}{}", color_of(rollout.state, palette),
                     fleet::to_string(rollout.state), palette.off, stage, cause);
}

void print_seen(const Seen& seen, const Environment& environment) {
  const Palette palette(environment.color_out);
  const Rollout& rollout = *seen.stored.rollout;
  environment.out << fmt::format("rollout {} by {} at {}  {}\n{}\n", visible(rollout.id),
                                 visible(rollout.author), visible(rollout.time),
                                 visible(rollout.message), headline(rollout, palette));
  for (const fleet::PushedDocument& each : rollout.documents) {
    environment.out << "  " << visible(each.key) << '\n';
  }
  environment.out << fmt::format("\n{}{:<20} {:<28} SERVED{}\n", palette.bold, "NODE", "STATE",
                                 palette.off);
  for (const NodeReport& each : seen.nodes) {
    environment.out << fmt::format("{:<20} {:<28} {}\n", visible(each.node),
                                   state_of(rollout, each),
                                   rollout.active() ? served_text(each.now) : std::string("-"));
  }
  if (rollout.active()) {
    const auto [with, without] = fleet::compare(rollout, seen.nodes);
    environment.out << fmt::format("\nwith it:    {}\nwithout it: {}\n", served_text(with),
                                   served_text(without));
  }
}

/// Which nodes have the keys that the fleet shares; nothing where it shares none.
void print_keys(const std::vector<NodeReport>& nodes, const Environment& environment) {
  std::map<uint64_t, std::string, std::greater<>> by_generation;
  for (const NodeReport& each : nodes) {
    std::string& names = by_generation[each.keys];
    names += (names.empty() ? "" : ", ") + visible(each.node);
  }
  const bool none = by_generation.empty() || by_generation.begin()->first == 0;
  for (const auto& [generation, names] : none ? decltype(by_generation)() : by_generation) {
    environment.out << (generation == 0
                            ? fmt::format("shared keys: none on {}\n", names)
                            : fmt::format("shared keys: generation {} on {}\n", generation, names));
  }
}

void print_certificates(const std::vector<NodeReport>& nodes, const Environment& environment) {
  std::vector<fleet::NodeCertificates> all;
  for (const NodeReport& each : nodes) {
    all.push_back({each.node, each.certificates});
  }
  fleet::CertificateAlarms alarms;
  alarms.update(all, control::wall_now());
  for (const fleet::CertificateAlarm& each : alarms.active()) {
    const WallTime end{std::chrono::seconds(each.certificate.not_after_s)};
    environment.out << fmt::format("certificate {} ends {}, on {}\n",
                                   visible(each.certificate.subject), fleet::time_text(end),
                                   visible(fmt::format("{}", fmt::join(each.nodes, ", "))));
  }
}

json::object served_json(const Served& served) {
  return {{"requests", served.requests}, {"errors", served.errors}, {"p99_us", served.p99_us}};
}

void print_json(const Seen& seen, const Environment& environment) {
  json::object out;
  if (seen.stored.rollout) {
    Rollout rollout = *seen.stored.rollout;
    fleet::forget_documents(rollout);
    const auto [with, without] = fleet::compare(rollout, seen.nodes);
    out["rollout"] = json::parse(fleet::to_json(rollout));
    out["with"] = served_json(with);
    out["without"] = served_json(without);
  }
  json::array nodes;
  for (const NodeReport& each : seen.nodes) {
    nodes.push_back(json::parse(fleet::to_json(each)));
  }
  out["nodes"] = std::move(nodes);
  environment.out << admin::pretty(out) << '\n';
}

int code_of(const Rollout& rollout) {
  return rollout.state == State::kRolledBack || rollout.state == State::kAborted ? kRuntimeFailure
                                                                                 : kOk;
}

/// A line for each thing that is new, until it is over.
int follow(ConfigStore& store, Seen seen, const Environment& environment) {
  const Palette palette(environment.color_out);
  std::string last;
  for (int missed = 0; missed < kUnreachableMax;) {
    if (seen.stored.rollout) {
      const Rollout& rollout = *seen.stored.rollout;
      const auto [with, without] = fleet::compare(rollout, seen.nodes);
      const auto ready = std::count_if(
          seen.nodes.begin(), seen.nodes.end(),
          [&rollout](const NodeReport& each) { return each.rollout == rollout.id && each.ready; });
      const std::string line =
          rollout.active() ? fmt::format("{}, on {} of {} nodes; with it {}; without it {}",
                                         headline(rollout, palette), ready, seen.nodes.size(),
                                         served_text(with), served_text(without))
                           : headline(rollout, palette);
      if (line != last) {
        environment.out << fleet::time_text(control::wall_now()) << ' ' << line << '\n';
        environment.out.flush();
      }
      last = line;
      if (!rollout.active() || rollout.state == State::kHeld) {
        return code_of(rollout);
      }
    }
    store.wait(kFollowInterval);
    auto again = look(store);
    missed = again ? 0 : missed + 1;
    if (again) {
      seen = std::move(*again);
    }
  }
  print_error(environment, "the store does not answer");
  return kRuntimeFailure;
}

/// Changes the rollout that is active; `change` gives the reason why not, or nothing.
int change_rollout(const RolloutOptions& options, const Environment& environment,
                   std::string (*change)(Rollout&)) {
  auto store = ConfigStore::open(options.config);
  if (!store) {
    print_error(environment, store.error());
    return kInvalidConfig;
  }
  auto stored = (*store)->ask((*store)->rollouts().read());
  if (!stored) {
    print_error(environment, stored.error());
    return kRuntimeFailure;
  }
  if (!stored->rollout || !stored->rollout->active()) {
    print_error(environment, "there is no rollout under way");
    return kRuntimeFailure;
  }
  Rollout next = *stored->rollout;
  const std::string refusal = change(next);
  if (!refusal.empty()) {
    print_error(environment, refusal);
    return kRuntimeFailure;
  }
  const auto written =
      (*store)->ask((*store)->rollouts().write(std::move(*stored), next, std::nullopt));
  if (!written) {
    print_error(environment, written.error());
    return kRuntimeFailure;
  }
  environment.out << fmt::format("rollout {}: {}\n", visible(next.id),
                                 headline(next, Palette(environment.color_out)));
  return kOk;
}

}  // namespace

int rollout_status(const RolloutOptions& options, const Environment& environment) {
  auto store = ConfigStore::open(options.config);
  if (!store) {
    print_error(environment, store.error());
    return kInvalidConfig;
  }
  auto seen = look(**store);
  if (!seen) {
    print_error(environment, seen.error());
    return kRuntimeFailure;
  }
  if (options.follow) {
    return follow(**store, std::move(*seen), environment);
  }
  if (options.json) {
    print_json(*seen, environment);
    return kOk;
  }
  if (seen->stored.rollout) {
    print_seen(*seen, environment);
  } else {
    environment.out << fmt::format("no rollout yet; {} nodes\n", seen->nodes.size());
  }
  print_keys(seen->nodes, environment);
  print_certificates(seen->nodes, environment);
  return kOk;
}

int rollout_pause(const RolloutOptions& options, const Environment& environment) {
  return change_rollout(options, environment, [](Rollout& rollout) -> std::string {
    if (rollout.state != State::kRunning) {
      return fmt::format("it is {}", fleet::to_string(rollout.state));
    }
    rollout.state = State::kPaused;
    return "";
  });
}

int rollout_resume(const RolloutOptions& options, const Environment& environment) {
  return change_rollout(options, environment, [](Rollout& rollout) -> std::string {
    if (rollout.state == State::kRunning) {
      return "it is running";
    }
    fleet::resume(rollout, control::wall_now());
    return "";
  });
}

int rollout_abort(const RolloutOptions& options, const Environment& environment) {
  return change_rollout(options, environment, [](Rollout& rollout) -> std::string {
    rollout.state = State::kAborted;
    rollout.cause.clear();
    fleet::forget_documents(rollout);
    return "";
  });
}

}  // namespace hangu::cli
