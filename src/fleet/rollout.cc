#include "hangu/fleet/rollout.h"

#include <algorithm>
#include <charconv>
#include <chrono>

#include <fmt/format.h>

#include "hangu/base/proportion.h"
#include "hangu/base/unix_time.h"
#include "hangu/identity/sealer.h"

namespace hangu::fleet {
namespace {

using Report = const NodeReport*;

// Below that, a percentile is noise.
constexpr uint64_t kP99SlackUs = 5000;

constexpr size_t kIdBytes = 6;

uint64_t milliseconds_of(WallTime time) {
  return static_cast<uint64_t>(unix_milliseconds(time));
}

double ratio_of(config::Percent percent) {
  return static_cast<double>(percent.millionths) / config::Percent::kAll;
}

uint32_t percent_of(std::string_view stage) {
  uint32_t percent = 0;
  std::from_chars(stage.data(), stage.data() + stage.size(), percent);
  return percent;
}

bool is_share(std::string_view stage) {
  return stage.ends_with('%');
}

bool has(const std::vector<std::string>& all, std::string_view one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

/// FNV-1a: the order in which a rollout takes nodes, so that it is not always the same one first.
uint64_t order_of(std::string_view rollout, std::string_view node) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const std::string_view part : {rollout, std::string_view("/"), node}) {
    for (const char c : part) {
      hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    }
  }
  return hash;
}

void add(Served& sum, const Served& one) {
  const uint64_t requests = sum.requests + one.requests;
  if (requests != 0) {
    sum.p99_us = (sum.p99_us * sum.requests + one.p99_us * one.requests) / requests;
  }
  sum.requests = requests;
  sum.errors += one.errors;
}

double error_ratio(const Served& served) {
  return served.requests == 0
             ? 0
             : static_cast<double>(served.errors) / static_cast<double>(served.requests);
}

void end(Rollout& rollout, Rollout::State state, std::string cause, WallTime now) {
  rollout.state = state;
  rollout.cause = std::move(cause);
  rollout.since_ms = milliseconds_of(now);
}

/// The nodes of its stage, beside those that have it already.
void begin_stage(Rollout& rollout, const std::vector<NodeReport>& nodes, WallTime now) {
  const std::string& stage = rollout.plan.stages[rollout.stage];
  std::vector<std::string> wanted = rollout.nodes;
  if (is_share(stage)) {
    rollout.everyone = percent_of(stage) == 100;
    std::vector<std::string> others;
    for (const NodeReport& each : nodes) {
      if (!has(wanted, each.node)) {
        others.push_back(each.node);
      }
    }
    std::sort(others.begin(), others.end(), [&](const std::string& a, const std::string& b) {
      return order_of(rollout.id, a) < order_of(rollout.id, b);
    });
    const size_t count = (nodes.size() * percent_of(stage) + 99) / 100;
    for (std::string& each : others) {
      if (wanted.size() < count) {
        wanted.push_back(std::move(each));
      }
    }
  } else {
    for (const NodeReport& each : nodes) {
      if (has(each.labels, stage) && !has(wanted, each.node)) {
        wanted.push_back(each.node);
      }
    }
  }
  if (wanted.empty()) {
    end(rollout, Rollout::State::kHeld,
        is_share(stage) ? std::string("no node tells of itself")
                        : fmt::format("no node has the label {}", stage),
        now);
    return;
  }
  rollout.nodes = std::move(wanted);
  rollout.begun = true;
  rollout.ready = false;
  rollout.since_ms = milliseconds_of(now);
}

/// Those that are to have it, `nullptr` for one that does not tell of itself.
std::vector<Report> batch_of(const Rollout& rollout, const std::vector<NodeReport>& nodes) {
  std::vector<Report> batch;
  for (const std::string& name : rollout.nodes) {
    const auto found = std::find_if(nodes.begin(), nodes.end(),
                                    [&](const NodeReport& each) { return each.node == name; });
    batch.push_back(found == nodes.end() ? nullptr : &*found);
  }
  for (const NodeReport& each : nodes) {
    if (rollout.everyone && !has(rollout.nodes, each.node)) {
      batch.push_back(&each);
    }
  }
  return batch;
}

bool is_ready(const Rollout& rollout, Report report) {
  return report != nullptr && report->rollout == rollout.id && report->ready;
}

std::string guard_cause(const Rollout& rollout, const std::vector<NodeReport>& nodes) {
  const config::RolloutGuard& guard = rollout.plan.guard;
  const auto [with, without] = compare(rollout, nodes);
  if (rollout.overruled || with.requests < guard.requests_min) {
    return "";
  }
  const bool known = without.requests >= guard.requests_min;
  const double ratio = error_ratio(with);
  const double expected = known ? error_ratio(without) : 0;
  if (least_likely_ratio(with.errors, with.requests) >
      expected + ratio_of(guard.error_ratio_delta)) {
    return fmt::format("{:.2f} % of {} requests fail, {:.2f} % without it", ratio * 100,
                       with.requests, expected * 100);
  }
  const double limit = static_cast<double>(without.p99_us) * (1 + ratio_of(guard.p99_delta));
  if (known && static_cast<double>(with.p99_us) > limit &&
      with.p99_us > without.p99_us + kP99SlackUs) {
    return fmt::format("the 99th percentile is {:.1f} ms, {:.1f} ms without it",
                       static_cast<double>(with.p99_us) / 1000,
                       static_cast<double>(without.p99_us) / 1000);
  }
  return "";
}

/// Of nodes that cannot take it; empty: there are few enough of them.
std::string refusal_cause(const Rollout& rollout, const std::vector<Report>& batch) {
  size_t refused = 0;
  std::string first;
  for (const Report each : batch) {
    if (each != nullptr && each->rollout == rollout.id && !each->refusal.empty()) {
      ++refused;
      first = first.empty() ? fmt::format("{}: {}", each->node, each->refusal) : first;
    }
  }
  const double left = static_cast<double>(batch.size() - refused);
  return left < ratio_of(rollout.plan.ready) * static_cast<double>(batch.size())
             ? fmt::format("{} of {} nodes refuse it; {}", refused, batch.size(), first)
             : std::string();
}

/// To the next stage, or to everybody.
void finish_stage(Rollout& rollout, const std::vector<NodeReport>& nodes, WallTime now) {
  if (rollout.stage + 1 == rollout.plan.stages.size()) {
    end(rollout, Rollout::State::kComplete, "", now);
    return;
  }
  ++rollout.stage;
  rollout.begun = false;
  begin_stage(rollout, nodes, now);
}

/// While it may go on.
void run_stage(Rollout& next, const std::vector<NodeReport>& nodes, WallTime now) {
  const std::vector<Report> batch = batch_of(next, nodes);
  const auto ready = static_cast<size_t>(
      std::count_if(batch.begin(), batch.end(), [&](Report each) { return is_ready(next, each); }));
  const bool enough =
      static_cast<double>(ready) >= ratio_of(next.plan.ready) * static_cast<double>(batch.size());
  if (enough != next.ready) {
    next.ready = enough;
    next.since_ms = milliseconds_of(now);
  }
  const uint64_t lasts = milliseconds_of(now) - std::min(next.since_ms, milliseconds_of(now));
  const auto in_ms = [](Duration duration) {
    return static_cast<uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(duration).count());
  };
  if (!next.ready && lasts > in_ms(next.plan.ready_within)) {
    end(next, Rollout::State::kRolledBack,
        fmt::format("{} of {} nodes are ready", ready, batch.size()), now);
  } else if (next.ready && lasts >= in_ms(next.plan.every) &&
             next.state == Rollout::State::kRunning) {
    finish_stage(next, nodes, now);
  }
}

}  // namespace

bool Rollout::covers(std::string_view node) const {
  return active() && (everyone || has(nodes, node));
}

Rollout make_rollout(const config::RolloutPlan& plan, std::vector<PushedDocument> documents,
                     const PushOptions& options) {
  Rollout rollout;
  rollout.id = identity::random_digits(kIdBytes);
  rollout.author = options.author;
  rollout.time = time_text(options.now);
  rollout.message = options.message;
  rollout.plan = plan;
  rollout.documents = std::move(documents);
  rollout.since_ms = milliseconds_of(options.now);
  return rollout;
}

std::string_view to_string(Rollout::State state) {
  switch (state) {
    case Rollout::State::kRunning: return "running";
    case Rollout::State::kPaused: return "paused";
    case Rollout::State::kHeld: return "held";
    case Rollout::State::kComplete: return "complete";
    case Rollout::State::kRolledBack: return "rolled_back";
    case Rollout::State::kAborted: return "aborted";
  }
  return "unknown";
}

Comparison compare(const Rollout& rollout, const std::vector<NodeReport>& nodes) {
  Comparison out;
  Served before;
  for (const NodeReport& each : nodes) {
    if (each.rollout != rollout.id) {
      continue;  // it has not heard of it yet
    }
    if (!rollout.covers(each.node)) {
      add(out.without, each.now);
    } else if (each.ready) {
      add(out.with, each.now);
      add(before, each.before);
    }
  }
  if (out.without.requests < rollout.plan.guard.requests_min) {
    out.without = before;
  }
  return out;
}

std::optional<Rollout> advance(const Rollout& rollout, const std::vector<NodeReport>& nodes,
                               WallTime now) {
  const bool goes_on =
      rollout.state == Rollout::State::kRunning || rollout.state == Rollout::State::kPaused;
  if (!goes_on || rollout.stage >= rollout.plan.stages.size()) {
    return std::nullopt;
  }
  Rollout next = rollout;
  if (!next.begun) {
    if (next.state == Rollout::State::kRunning) {
      begin_stage(next, nodes, now);
    }
    return next == rollout ? std::nullopt : std::optional(std::move(next));
  }
  if (std::string cause = refusal_cause(next, batch_of(next, nodes)); !cause.empty()) {
    end(next, Rollout::State::kRolledBack, std::move(cause), now);
  } else if (std::string failing = guard_cause(next, nodes); !failing.empty()) {
    end(next, next.plan.guard.hold ? Rollout::State::kHeld : Rollout::State::kRolledBack,
        std::move(failing), now);
  } else {
    run_stage(next, nodes, now);
  }
  return next == rollout ? std::nullopt : std::optional(std::move(next));
}

void resume(Rollout& rollout, WallTime now) {
  const bool lacks_nodes = rollout.state == Rollout::State::kHeld && !rollout.begun;
  if (lacks_nodes && rollout.stage + 1 < rollout.plan.stages.size()) {
    ++rollout.stage;
  }
  rollout.overruled = rollout.overruled || (rollout.state == Rollout::State::kHeld && !lacks_nodes);
  end(rollout, Rollout::State::kRunning, "", now);
}

void forget_documents(Rollout& rollout) {
  for (PushedDocument& each : rollout.documents) {
    each.before.reset();
    each.after.reset();
  }
}

}  // namespace hangu::fleet
