// Release: how far a new version of a service has come, as a machine of a few states. Its share of
// the requests grows by steps as long as its guard has nothing against it; what the guard, the plan
// or an operator decide is told as a change. Pure: time and evidence are arguments, the state is a
// small plain struct that outlives processes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "hangu/base/result.h"
#include "hangu/config/config.h"
#include "hangu/policy/release_guard.h"
#include "hangu/policy/traffic_split.h"

namespace hangu::policy {

enum class ReleaseStage : uint8_t {
  kRamping,
  kWaiting,     // a step is due, and the guard has seen too few requests to judge
  kPaused,      // by an operator
  kHeld,        // by the guard; an operator has to decide
  kRolledBack,  // by either
  kComplete,
};

inline constexpr ReleaseStage kReleaseStages[] = {
    ReleaseStage::kRamping, ReleaseStage::kWaiting,    ReleaseStage::kPaused,
    ReleaseStage::kHeld,    ReleaseStage::kRolledBack, ReleaseStage::kComplete};

std::string_view to_string(ReleaseStage stage) noexcept;

struct ReleaseState {
  ReleaseStage stage = ReleaseStage::kRamping;
  uint32_t share = 0;      // of TrafficSplit::kBuckets
  int64_t changed_ms = 0;  // Unix time at which it came to this share, or an operator let it go on
  std::string cause;       // why it is where it is: "error_ratio"
  std::string numbers;     // that led to it, for people
  std::string actor;       // who: "ramp", "guard" or an operator
  uint64_t revision = 0;   // grows with every change: of two nodes' words the later one counts
  uint64_t judged_from = 0;  // the revision from which on evidence counts: of the last resume
  ReleaseBaseline baseline;
  bool operator==(const ReleaseState&) const = default;
};

/// Of two nodes' words on a release that were given at the same time an operator's counts.
bool outranks(const ReleaseState& one, const ReleaseState& other) noexcept;

enum class ReleaseDecision : uint8_t {
  kBegin,
  kStep,
  kWait,
  kHold,
  kRollback,
  kComplete,
  kShadow,  // the guard would have done something, were it in force
  kPause,   // from here on by operators
  kResume,
  kPromote,
  kAbort,
};

inline constexpr size_t kReleaseDecisions = 11;

std::string_view to_string(ReleaseDecision decision) noexcept;

enum class ReleaseOrder : uint8_t { kPause, kResume, kPromote, kAbort };

std::optional<ReleaseOrder> release_order(std::string_view word) noexcept;

struct ReleaseChange {
  ReleaseDecision decision = ReleaseDecision::kBegin;
  ReleaseStage stage_before = ReleaseStage::kRamping;
  uint32_t share_before = 0;
};

constexpr uint32_t buckets_of(config::Percent percent) {
  return percent.millionths / (config::Percent::kAll / TrafficSplit::kBuckets);
}

/// One release: what the config says of it, and where it stands.
class Release {
 public:
  Release(const config::Ramp& ramp, const config::ReleaseGuard& guard, ReleaseState state)
      : ramp_(ramp),
        guard_(guard),
        state_(std::move(state)) {}

  /// One that begins now.
  static ReleaseState begin(const config::Ramp& ramp, int64_t now_ms);

  const ReleaseState& state() const { return state_; }

  const config::Ramp& ramp() const { return ramp_; }

  const config::ReleaseGuard& guard() const { return guard_; }

  /// What another node has decided.
  void follow(ReleaseState state) { state_ = std::move(state); }

  /// The guard's options have changed under way.
  void set_guard(const config::ReleaseGuard& guard) { guard_ = guard; }

  /// What is due now, at most one thing at a time.
  std::optional<ReleaseChange> advance(const ReleaseEvidence& evidence, int64_t now_ms);

  /// The error says why that makes no sense now.
  Result<ReleaseChange, std::string> obey(ReleaseOrder order, std::string_view actor,
                                          int64_t now_ms);

  /// When it is to be looked at again, if nothing else happens: never 0.
  Duration interval() const;

  /// Until the next step is due; 0: it is, or there is none.
  Duration until_step(int64_t now_ms) const;

 private:
  bool guarded() const { return guard_.enabled && guard_.mode == config::Mode::kEnforce; }

  bool in_shadow() const { return guard_.enabled && guard_.mode == config::Mode::kShadow; }

  std::optional<ReleaseChange> punish(const Verdict& verdict, int64_t now_ms);
  std::optional<ReleaseChange> tell_shadow(const Verdict& verdict);
  std::optional<ReleaseChange> step(const Verdict& verdict, int64_t now_ms);

  struct Reason {
    std::string_view cause;
    std::string_view numbers;
    std::string_view actor;
  };

  ReleaseChange move_to(ReleaseDecision decision, ReleaseStage stage, uint32_t share,
                        const Reason& reason);

  config::Ramp ramp_;
  config::ReleaseGuard guard_;
  ReleaseState state_;
  bool shadow_told_ = false;  // of this step
};

/// What makes a release this one and not another, as text: its upstreams, their weights and
/// versions, and its ramp. Empty: the route has none.
std::string release_identity(const config::Config& config, const config::Split& split);
/// The same of its guard.
std::string guard_identity(const config::ReleaseGuard& guard);

}  // namespace hangu::policy
