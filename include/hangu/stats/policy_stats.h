// What one rate limit, concurrency limit, bandwidth limit or authenticator decided; StoreStats: how
// a store does. Lives on over config generations as long as its name does.
#pragma once

#include <array>
#include <string_view>

#include "hangu/stats/counter.h"
#include "hangu/stats/histogram.h"
#include "hangu/stats/per_shard.h"
#include "hangu/stats/shard_stats.h"

namespace hangu::stats {

struct alignas(kCacheLine) RateLimitSlot {
  Counter allowed;
  Counter rejected;
  Counter shadow_rejected;  // would have been
  Counter shared_keys;      // decisions for keys that found no place of their own
  Counter without_store;    // decisions that a store should have made
};

class RateLimitStats : public PerShard<RateLimitSlot> {
 public:
  using PerShard::PerShard;
};

/// Why a credential was not accepted, as logs and metrics name it; any other reason counts as the
/// last.
inline constexpr std::array<std::string_view, 37> kAuthReasons = {"malformed",
                                                                  "algorithm",
                                                                  "unknown_key",
                                                                  "signature",
                                                                  "critical_extension",
                                                                  "type",
                                                                  "issuer",
                                                                  "audience",
                                                                  "expired",
                                                                  "not_yet_valid",
                                                                  "scope",
                                                                  "no_keys",
                                                                  "password",
                                                                  "locked",
                                                                  "busy",
                                                                  "hash",
                                                                  "unknown_certificate",
                                                                  "inactive",
                                                                  "timeout",
                                                                  "unreachable",
                                                                  "broken",
                                                                  "status",
                                                                  "loop",
                                                                  "not_covered",
                                                                  "nonce",
                                                                  "replayed",
                                                                  "replay_full",
                                                                  "replay_store",
                                                                  "digest",
                                                                  "state",
                                                                  "denied",
                                                                  "grant",
                                                                  "provider",
                                                                  "subject",
                                                                  "too_large",
                                                                  "logout_token",
                                                                  "other"};

/// What one authenticator said about requests.
struct alignas(kCacheLine) AuthSlot {
  Counter proved;
  Counter cached;  // of these, by what was verified before
  Counter absent;  // nothing was shown
  std::array<Counter, kAuthReasons.size()> refused;
};

class AuthStats : public PerShard<AuthSlot> {
 public:
  using PerShard::PerShard;

  // Of the issuer's keys; written by the control thread.
  Counter key_fetches;
  Counter key_fetch_failures;
};

/// Why an authorization service was of no use, as logs and metrics name it: it did not answer in
/// time; nobody could be asked; the answer broke off; it was an error; too many were waiting; the
/// question came back to us.
inline constexpr std::array<std::string_view, 6> kForwardAuthErrors = {
    "timeout", "unreachable", "broken", "status", "busy", "loop"};

struct alignas(kCacheLine) ForwardAuthSlot {
  Counter allowed;         // by an answer, or by one that was kept
  Counter refused;         // the same
  Counter shadow_refused;  // would have been, for whatever reason
  Counter cached;          // of these: by an answer that was kept
  std::array<Counter, kForwardAuthErrors.size()> errors;
  Counter errors_allowed;  // passed in spite of them
  Gauge active;            // requests that wait for an answer
  Histogram latency;       // of answers
};

class ForwardAuthStats : public PerShard<ForwardAuthSlot> {
 public:
  using PerShard::PerShard;
};

/// What goes on between the gateway and a store that nodes share. Written by the store's thread.
struct StoreStats {
  Gauge up;          // 0 or 1
  Counter connects;  // that succeeded
  Counter asked;     // requests that waited for it
  Counter late;      // of them those that it did not answer in time
  Counter charged;   // keys whose counts it was told
  Counter lost;      // keys whose counts it could not be told
  Counter errors;    // replies that were errors
};

struct alignas(kCacheLine) ConcurrencyLimitSlot {
  Counter allowed;
  Counter rejected;
  Counter shadow_rejected;  // would have been
  Counter shared_keys;      // decisions for keys that found no place of their own
  Gauge active;             // places taken
};

class ConcurrencyLimitStats : public PerShard<ConcurrencyLimitSlot> {
 public:
  using PerShard::PerShard;
};

struct alignas(kCacheLine) BandwidthLimitSlot {
  Counter request_bytes;   // that passed
  Counter response_bytes;  // the same
  Counter request_pauses;  // times that a stream had to wait
  Counter response_pauses;
  Counter shadow_pauses;  // would have had to
  Counter shared_keys;    // pieces of keys that found no place of their own
};

class BandwidthLimitStats : public PerShard<BandwidthLimitSlot> {
 public:
  using PerShard::PerShard;
};

}  // namespace hangu::stats
