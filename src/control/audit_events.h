// What the control thread records in the audit log: config, drain, access to the log itself. Each
// does nothing without a log.
#pragma once

#include <string>
#include <string_view>

#include "hangu/audit/record.h"
#include "hangu/control/daemon.h"
#include "hangu/fleet/rollout.h"

namespace hangu::audit {
class AuditLog;
}

namespace hangu::control {

struct ConfigEvent {
  bool applied = false;
  uint64_t generation = 0;
  std::string_view actor;  // who asked for it
  std::string_view file;
  std::string_view before;  // SHA-256 of the file that is in force
  std::string_view after;   // and of the one that was offered
  std::string_view error;   // why it was refused
};

struct PluginEvent {
  uint64_t generation = 0;
  std::string_view actor;
  std::string_view plugin;
  std::string_view before;  // SHA-256 of the version that was in force
  std::string_view after;   // and of the one that is now
  std::string_view error;   // why there is no other
};

struct ReleaseEvent {
  uint64_t generation = 0;
  std::string_view actor;
  std::string_view route;
  std::string_view upstream;  // that is being released
  std::string_view decision;
  std::string before;  // its share
  std::string after;
  std::string_view cause;
  std::string_view numbers;
};

void record_admin(audit::AuditLog* log, uint64_t generation, const AdminEvent& event);
void record_plugin(audit::AuditLog* log, const PluginEvent& event);
/// To what state this node has driven it.
void record_rollout(audit::AuditLog* log, uint64_t generation, const fleet::Rollout& rollout);
void record_config(audit::AuditLog* log, const ConfigEvent& event);
void record_release(audit::AuditLog* log, const ReleaseEvent& event);
/// That an upgrade failed; one that did not is recorded by the log itself.
void record_upgrade(audit::AuditLog* log, uint64_t generation, std::string_view actor,
                    std::string_view error);
void record_drain(audit::AuditLog* log, uint64_t generation, std::string_view actor);
/// kAuditRead and its kin. False: the log takes no record, so the reader must not read.
bool record_reading(audit::AuditLog* log, audit::Event event, uint64_t generation,
                    std::string_view actor, std::string_view detail);

}  // namespace hangu::control
