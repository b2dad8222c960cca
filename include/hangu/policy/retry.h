// The rules of sending a request again: for which reasons, of which requests, after which wait.
// Pure: the caller brings the error and the random numbers. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "hangu/base/clock.h"
#include "hangu/base/error.h"
#include "hangu/config/config.h"
#include "hangu/http/header_block.h"
#include "hangu/http/method.h"

namespace hangu::policy {

using config::RetryReason;

std::string_view to_string(RetryReason reason) noexcept;

/// Why a request that met `error` might be sent again; nullopt: for no reason.
std::optional<RetryReason> retry_reason(const Error& error) noexcept;

/// Whether an upstream may see the request twice: that means the same as once, or its client or the
/// owner of the service takes care of it.
bool may_repeat(const config::RetryPolicy& policy, http::Method method,
                const http::HeaderBlock& headers) noexcept;

/// A policy's `on`, as a set.
class RetryReasons {
 public:
  RetryReasons() = default;

  explicit RetryReasons(const config::RetryPolicy& policy) {
    for (const RetryReason reason : policy.on) {
      set_ = static_cast<uint8_t>(set_ | bit_of(reason));
    }
    if (policy.try_timeout != Duration::zero()) {
      set_ = static_cast<uint8_t>(set_ | bit_of(RetryReason::kTimeout));
    }
  }

  bool has(RetryReason reason) const { return (set_ & bit_of(reason)) != 0; }

 private:
  static constexpr uint8_t bit_of(RetryReason reason) {
    return static_cast<uint8_t>(1U << static_cast<unsigned>(reason));
  }

  uint8_t set_ = 0;
};

/// How long one try may wait for its answer, of a request that may take `whole` (0: for ever);
/// 0: no bound of its own.
Duration try_time(const config::RetryPolicy& policy, Duration whole) noexcept;

/// The wait before the `retry`th retry, from 1: at random up to a time that doubles.
Duration retry_backoff(const config::RetryPolicy& policy, uint32_t retry, uint64_t random) noexcept;

/// The longest `Retry-After` that is waited for.
inline constexpr Duration kRetryAfterMax = std::chrono::seconds(1);

/// The wait that a field `Retry-After` asks for, and at random up to half as long again; nullopt:
/// too long. Empty: none asked for.
std::optional<Duration> retry_after_wait(std::string_view field, uint64_t random) noexcept;

}  // namespace hangu::policy
