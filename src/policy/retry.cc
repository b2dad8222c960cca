#include "hangu/policy/retry.h"

#include <algorithm>

#include "hangu/base/parse.h"

namespace hangu::policy {

std::string_view to_string(RetryReason reason) noexcept {
  switch (reason) {
    case RetryReason::kConnectFailure: return "connect_failure";
    case RetryReason::kRefusedStream: return "refused_stream";
    case RetryReason::kGoaway: return "goaway";
    case RetryReason::kResetBeforeRequest: return "reset_before_request";
    case RetryReason::kReset: return "reset";
    case RetryReason::kTimeout: return "timeout";
  }
  return "";
}

std::optional<RetryReason> retry_reason(const Error& error) noexcept {
  switch (error.retry) {
    case Retry::kNever: return std::nullopt;
    case Retry::kIfReused: return RetryReason::kResetBeforeRequest;
    case Retry::kIfIdempotent: return RetryReason::kReset;
    case Retry::kSafe: return RetryReason::kConnectFailure;
    case Retry::kRefused: return RetryReason::kRefusedStream;
    case Retry::kGoaway: return RetryReason::kGoaway;
  }
  return std::nullopt;
}

bool may_repeat(const config::RetryPolicy& policy, http::Method method,
                const http::HeaderBlock& headers) noexcept {
  return http::is_idempotent(method) || policy.non_idempotent ||
         headers.find("idempotency-key") != nullptr;
}

Duration try_time(const config::RetryPolicy& policy, Duration whole) noexcept {
  if (policy.try_timeout != Duration::zero()) {
    return policy.try_timeout;
  }
  return RetryReasons(policy).has(RetryReason::kTimeout) ? whole / (policy.attempts + 1)
                                                         : Duration::zero();
}

Duration retry_backoff(const config::RetryPolicy& policy, uint32_t retry,
                       uint64_t random) noexcept {
  constexpr uint32_t kDoublingsMax = 10;
  if (policy.backoff == Duration::zero()) {
    return Duration::zero();
  }
  const uint32_t doublings = std::min(retry - 1, kDoublingsMax);
  const Duration most = std::min(policy.backoff * (1 << doublings), policy.backoff_max);
  return Duration(static_cast<int64_t>(random % static_cast<uint64_t>(most.count())) + 1);
}

std::optional<Duration> retry_after_wait(std::string_view field, uint64_t random) noexcept {
  if (field.empty()) {
    return Duration::zero();
  }
  const auto seconds = parse_decimal(field);
  if (!seconds) {
    return std::nullopt;  // a date: whole seconds ahead, as those who send one mean it
  }
  if (*seconds > static_cast<uint64_t>(kRetryAfterMax / std::chrono::seconds(1))) {
    return std::nullopt;
  }
  const Duration asked = std::chrono::seconds(*seconds);
  const int64_t half = asked.count() / 2;
  return half == 0 ? asked
                   : asked + Duration(static_cast<int64_t>(random % static_cast<uint64_t>(half)));
}

}  // namespace hangu::policy
