#include "hangu/policy/release.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace hangu::policy {
namespace {

constexpr std::string_view kByOperator = "operator";

int64_t milliseconds(Duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

constexpr std::array<std::string_view, 6> kStageNames = {"ramping", "waiting",     "paused",
                                                         "held",    "rolled_back", "complete"};
constexpr std::array<std::string_view, kReleaseDecisions> kDecisionNames = {
    "begin",  "step",  "wait",   "hold",    "rollback", "complete",
    "shadow", "pause", "resume", "promote", "abort"};

std::string hash_of(std::string_view text) {
  const XXH128_hash_t hash = XXH3_128bits(text.data(), text.size());
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

}  // namespace

bool outranks(const ReleaseState& one, const ReleaseState& other) noexcept {
  const bool tie = one.revision == other.revision;
  return tie ? one.cause == kByOperator && other.cause != kByOperator
             : one.revision > other.revision;
}

std::string_view to_string(ReleaseStage stage) noexcept {
  return kStageNames[static_cast<size_t>(stage)];
}

std::string_view to_string(ReleaseDecision decision) noexcept {
  return kDecisionNames[static_cast<size_t>(decision)];
}

std::optional<ReleaseOrder> release_order(std::string_view word) noexcept {
  return word == "pause"     ? std::optional(ReleaseOrder::kPause)
         : word == "resume"  ? std::optional(ReleaseOrder::kResume)
         : word == "promote" ? std::optional(ReleaseOrder::kPromote)
         : word == "abort"   ? std::optional(ReleaseOrder::kAbort)
                             : std::nullopt;
}

ReleaseState Release::begin(const config::Ramp& ramp, int64_t now_ms) {
  return {.stage = ReleaseStage::kRamping,
          .share = buckets_of(ramp.from),
          .changed_ms = now_ms,
          .cause = "begin",
          .numbers = {},
          .actor = "ramp",
          .revision = 1,
          .baseline = {}};
}

Duration Release::interval() const {
  constexpr Duration kMost = std::chrono::seconds(1);
  constexpr Duration kLeast = std::chrono::milliseconds(50);
  constexpr int kLooksPerStep = 4;
  constexpr int kLooksPerWindow = 10;
  Duration interval = ramp_.every / kLooksPerStep;
  if (guard_.enabled) {
    interval = std::min(interval, guard_.window / kLooksPerWindow);
  }
  return std::clamp(interval, kLeast, kMost);
}

Duration Release::until_step(int64_t now_ms) const {
  if (state_.stage != ReleaseStage::kRamping && state_.stage != ReleaseStage::kWaiting) {
    return Duration::zero();
  }
  const int64_t left = state_.changed_ms + milliseconds(ramp_.every) - now_ms;
  return std::chrono::milliseconds(std::max<int64_t>(left, 0));
}

ReleaseChange Release::move_to(ReleaseDecision decision, ReleaseStage stage, uint32_t share,
                               const Reason& reason) {
  const ReleaseChange change{
      .decision = decision, .stage_before = state_.stage, .share_before = state_.share};
  state_.stage = stage;
  state_.share = share;
  state_.cause = reason.cause;
  state_.numbers = reason.numbers;
  state_.actor = reason.actor;
  ++state_.revision;
  if (decision == ReleaseDecision::kResume) {
    state_.judged_from = state_.revision;
  }
  return change;
}

std::optional<ReleaseChange> Release::advance(const ReleaseEvidence& evidence, int64_t now_ms) {
  switch (state_.stage) {
    case ReleaseStage::kRamping:
    case ReleaseStage::kWaiting:
    case ReleaseStage::kPaused: break;
    case ReleaseStage::kHeld:
    case ReleaseStage::kRolledBack:
    case ReleaseStage::kComplete: return std::nullopt;
  }
  state_.changed_ms = std::min(state_.changed_ms, now_ms);  // the clock may have been set back
  Verdict verdict;
  if (guarded() || in_shadow()) {
    verdict = judge(guard_, evidence, state_.baseline);
  }
  if (verdict.bad()) {
    if (guarded()) {
      return punish(verdict, now_ms);
    }
    if (auto told = tell_shadow(verdict)) {
      return told;
    }
  }
  const bool due = now_ms - state_.changed_ms >= milliseconds(ramp_.every);
  return due && state_.stage != ReleaseStage::kPaused ? step(verdict, now_ms) : std::nullopt;
}

std::optional<ReleaseChange> Release::punish(const Verdict& verdict, int64_t now_ms) {
  const Reason reason{to_string(verdict.judgement), verdict.numbers, "guard"};
  state_.changed_ms = now_ms;
  return guard_.action == config::GuardAction::kHold
             ? move_to(ReleaseDecision::kHold, ReleaseStage::kHeld, state_.share, reason)
             : move_to(ReleaseDecision::kRollback, ReleaseStage::kRolledBack, 0, reason);
}

/// Once a step.
std::optional<ReleaseChange> Release::tell_shadow(const Verdict& verdict) {
  if (std::exchange(shadow_told_, true)) {
    return std::nullopt;
  }
  return move_to(ReleaseDecision::kShadow, state_.stage, state_.share,
                 {to_string(verdict.judgement), verdict.numbers, "guard"});
}

/// It is due.
std::optional<ReleaseChange> Release::step(const Verdict& verdict, int64_t now_ms) {
  if (guarded() && verdict.judgement == Judgement::kTooFew) {
    if (state_.stage == ReleaseStage::kWaiting) {
      state_.numbers = verdict.numbers;
      return std::nullopt;
    }
    return move_to(ReleaseDecision::kWait, ReleaseStage::kWaiting, state_.share,
                   {to_string(verdict.judgement), verdict.numbers, "guard"});
  }
  state_.changed_ms = now_ms;
  shadow_told_ = false;
  const uint32_t until = buckets_of(ramp_.until);
  const Reason reason{"step", verdict.numbers, "ramp"};
  if (state_.share >= until) {
    return move_to(ReleaseDecision::kComplete, ReleaseStage::kComplete, state_.share,
                   {"complete", verdict.numbers, "ramp"});
  }
  return move_to(ReleaseDecision::kStep, ReleaseStage::kRamping,
                 std::min(state_.share + buckets_of(ramp_.step), until), reason);
}

Result<ReleaseChange, std::string> Release::obey(ReleaseOrder order, std::string_view actor,
                                                 int64_t now_ms) {
  const auto refused = [&](std::string_view why) {
    return Failure<std::string>{fmt::format("the release is {}: {}", to_string(state_.stage), why)};
  };
  const Reason reason{kByOperator, "", actor};
  const ReleaseStage stage = state_.stage;
  const bool stands = stage != ReleaseStage::kRamping && stage != ReleaseStage::kWaiting;
  switch (order) {
    case ReleaseOrder::kPause:
      if (stands) {
        return refused("there is nothing to pause");
      }
      return move_to(ReleaseDecision::kPause, ReleaseStage::kPaused, state_.share, reason);
    case ReleaseOrder::kResume:
      if (!stands || stage == ReleaseStage::kComplete) {
        return refused("there is nothing to resume");
      }
      state_.changed_ms = now_ms;
      shadow_told_ = false;
      return move_to(ReleaseDecision::kResume, ReleaseStage::kRamping,
                     stage == ReleaseStage::kRolledBack ? buckets_of(ramp_.from) : state_.share,
                     reason);
    case ReleaseOrder::kPromote:
      if (stage == ReleaseStage::kComplete) {
        return refused("there is nothing to promote");
      }
      state_.changed_ms = now_ms;
      return move_to(ReleaseDecision::kPromote, ReleaseStage::kComplete, buckets_of(ramp_.until),
                     reason);
    case ReleaseOrder::kAbort:
      if (stage == ReleaseStage::kRolledBack) {
        return refused("there is nothing to abort");
      }
      state_.changed_ms = now_ms;
      return move_to(ReleaseDecision::kAbort, ReleaseStage::kRolledBack, 0, reason);
  }
  return refused("");
}

std::string release_identity(const config::Config& config, const config::Split& split) {
  if (!split.enabled || !split.ramp.enabled) {
    return "";
  }
  std::string text;
  for (const config::Split::Part& part : split.upstreams) {
    text += fmt::format("{}\n{}\n{}\n", config.upstreams[part.upstream].name, part.weight,
                        part.version);
  }
  const config::Ramp& ramp = split.ramp;
  text += fmt::format("{}\n{}\n{}\n{}\n{}", config.upstreams[ramp.to].name, ramp.from.millionths,
                      ramp.until.millionths, ramp.step.millionths, ramp.every.count());
  return hash_of(text);
}

std::string guard_identity(const config::ReleaseGuard& guard) {
  return hash_of(fmt::format("{} {} {} {} {} {} {} {}", guard.enabled, static_cast<int>(guard.mode),
                             guard.requests_min, guard.window.count(),
                             guard.error_ratio_delta.millionths, guard.p99_delta.millionths,
                             guard.p99_floor.count(), static_cast<int>(guard.action)));
}

}  // namespace hangu::policy
