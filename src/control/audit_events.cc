#include "control/audit_events.h"

#include <fmt/format.h>

#include "hangu/audit/audit_log.h"
#include "hangu/control/process.h"

namespace hangu::control {
namespace {

using audit::Text;

audit::Record make_record(audit::Event event, uint64_t generation, std::string_view actor) {
  audit::Record record;
  record.event = event;
  record.time = wall_now();
  record.generation = generation;
  record.set(Text::kActor, actor);
  return record;
}

}  // namespace

void record_config(audit::AuditLog* log, const ConfigEvent& event) {
  if (log == nullptr) {
    return;
  }
  audit::Record record =
      make_record(event.applied ? audit::Event::kConfigApplied : audit::Event::kConfigRefused,
                  event.generation, event.actor);
  record.outcome = event.applied ? audit::Outcome::kOk : audit::Outcome::kFailed;
  record.set(Text::kObject, event.file);
  record.set(Text::kBefore, event.before);
  record.set(Text::kAfter, event.after);
  record.set(Text::kReason, event.error);
  log->append_control(record);
}

void record_plugin(audit::AuditLog* log, const PluginEvent& event) {
  if (log == nullptr) {
    return;
  }
  audit::Record record = make_record(audit::Event::kPluginChanged, event.generation, event.actor);
  record.outcome = event.error.empty() ? audit::Outcome::kOk : audit::Outcome::kFailed;
  record.set(Text::kObject, event.plugin);
  record.set(Text::kBefore, event.before);
  record.set(Text::kAfter, event.after);
  record.set(Text::kReason, event.error);
  log->append_control(record);
}

void record_release(audit::AuditLog* log, const ReleaseEvent& event) {
  if (log == nullptr) {
    return;
  }
  audit::Record record = make_record(audit::Event::kReleaseChanged, event.generation, event.actor);
  record.set(Text::kRoute, event.route);
  record.set(Text::kUpstream, event.upstream);
  record.set(Text::kObject, event.decision);
  record.set(Text::kBefore, event.before);
  record.set(Text::kAfter, event.after);
  record.set(Text::kReason, event.cause);
  record.set(Text::kDetail, event.numbers);
  log->append_control(record);
}

void record_admin(audit::AuditLog* log, uint64_t generation, const AdminEvent& event) {
  if (log == nullptr) {
    return;
  }
  audit::Record record = make_record(event.event, generation, event.actor);
  record.outcome = event.outcome;
  record.set(Text::kObject, event.object);
  record.set(Text::kBefore, event.before);
  record.set(Text::kAfter, event.after);
  record.set(Text::kReason, event.reason);
  record.set(Text::kDetail, event.detail);
  log->append_control(record);
}

void record_rollout(audit::AuditLog* log, uint64_t generation, const fleet::Rollout& rollout) {
  using State = fleet::Rollout::State;
  const bool failed = rollout.state == State::kHeld || rollout.state == State::kRolledBack;
  const std::string nodes = rollout.everyone ? "all" : std::to_string(rollout.nodes.size());
  record_admin(log, generation,
               {.event = audit::Event::kRolloutChanged,
                .outcome = failed ? audit::Outcome::kFailed : audit::Outcome::kOk,
                .actor = rollout.author,
                .object = rollout.id,
                .reason = rollout.cause,
                .detail = fmt::format("state={} stage={} nodes={}", fleet::to_string(rollout.state),
                                      rollout.plan.stages[rollout.stage], nodes)});
}

void record_upgrade(audit::AuditLog* log, uint64_t generation, std::string_view actor,
                    std::string_view error) {
  if (log == nullptr) {
    return;
  }
  audit::Record record = make_record(audit::Event::kProcessUpgraded, generation, actor);
  record.outcome = audit::Outcome::kFailed;
  record.set(Text::kReason, error);
  log->append_control(record);
}

void record_drain(audit::AuditLog* log, uint64_t generation, std::string_view actor) {
  if (log != nullptr) {
    audit::Record record = make_record(audit::Event::kProcessDraining, generation, actor);
    log->append_control(record);
  }
}

bool record_reading(audit::AuditLog* log, audit::Event event, uint64_t generation,
                    std::string_view actor, std::string_view detail) {
  if (log == nullptr) {
    return true;
  }
  audit::Record record = make_record(event, generation, actor);
  record.set(Text::kDetail, detail);
  return log->append_control(record);
}

}  // namespace hangu::control
