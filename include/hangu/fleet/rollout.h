// Rollout: a push that reaches the nodes of a fleet by and by: what of it stands in the store, what
// nodes tell of themselves, and what is to happen next. Whoever drives it holds the election; all
// that is known is in the store, so that another one goes on where it stopped. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hangu/base/clock.h"
#include "hangu/config/config_center.h"
#include "hangu/fleet/certificate_alarms.h"
#include "hangu/fleet/publisher.h"

namespace hangu::fleet {

struct Rollout {
  enum class State : uint8_t {
    kRunning,
    kPaused,      // by somebody: it goes no further, the guard still holds
    kHeld,        // by the guard or for want of nodes: somebody has to decide
    kComplete,    // its documents are everybody's
    kRolledBack,  // by the guard, or since nodes were not ready
    kAborted,     // by somebody
  };

  std::string id;
  std::string author;
  std::string time;  // RFC 3339
  std::string message;
  config::RolloutPlan plan;
  std::vector<PushedDocument> documents;
  State state = State::kRunning;
  std::string cause;               // of the state, for people
  size_t stage = 0;                // index in plan.stages
  bool begun = false;              // the stage has its nodes
  bool everyone = false;           // all nodes have it, those to come as well
  std::vector<std::string> nodes;  // else these
  bool ready = false;              // enough of them are
  uint64_t since_ms = 0;           // Unix time since when that is so
  bool overruled = false;          // somebody has let it go on against the guard

  bool operator==(const Rollout&) const = default;

  /// It is not over.
  bool active() const { return state <= State::kHeld; }

  /// That node is to have the documents before they are everybody's.
  bool covers(std::string_view node) const;
};

/// Of documents that Publisher::prepare() has made.
Rollout make_rollout(const config::RolloutPlan& plan, std::vector<PushedDocument> documents,
                     const PushOptions& options);

std::string_view to_string(Rollout::State state);

std::string to_json(const Rollout& rollout);
std::optional<Rollout> read_rollout(std::string_view text);

/// What a node has served.
struct Served {
  uint64_t requests = 0;
  uint64_t errors = 0;  // 5xx
  uint64_t p99_us = 0;
  bool operator==(const Served&) const = default;
};

/// What a node tells of itself, below `nodes/`, for as long as its lease lives.
struct NodeReport {
  std::string node;
  std::vector<std::string> labels;
  std::string version;
  int64_t revision = 0;  // of the store, in force
  std::string rollout;   // id of the one that it knows of; empty: none
  bool ready = false;    // it has its documents in force
  std::string refusal;   // why it cannot; empty: it can, or need not
  Served now;            // since it has them in force, or has known of the rollout
  Served before;         // a while before that
  std::map<std::string, std::string> releases;  // what it has seen of services' releases, by route
  uint64_t keys = 0;  // generation of the shared keys that it has; 0: none, or it cannot read them
  std::vector<ExpiringCertificate> certificates;  // of its own, that end soon
  bool operator==(const NodeReport&) const = default;
};

std::string to_json(const NodeReport& report);
std::optional<NodeReport> read_report(std::string_view text);

/// What becomes of a rollout that is active; nothing: it stays as it is. `kComplete` means that its
/// documents are to be written for everybody.
std::optional<Rollout> advance(const Rollout& rollout, const std::vector<NodeReport>& nodes,
                               WallTime now);

/// How the nodes that have it do beside the others.
struct Comparison {
  Served with;     // added up; p99 is the mean by requests
  Served without;  // of the other nodes, or of the same ones before; no requests: there is none
};

Comparison compare(const Rollout& rollout, const std::vector<NodeReport>& nodes);

/// Goes on; what was held for want of nodes leaves its stage out, what the guard held is not looked
/// at by it again.
void resume(Rollout& rollout, WallTime now);

/// Its documents are left out of the record: it is over, and they are large.
void forget_documents(Rollout& rollout);

}  // namespace hangu::fleet
