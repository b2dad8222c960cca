// CircuitBreaker: stops sending requests to an upstream that fails, and lets single ones try again.
// One for an upstream, shared by all shards of the node without a lock: the state is one atomic
// word, requests are counted by each shard for itself. Pure: the caller brings the time and the
// options, which may change from call to call (a reload).
//
//   closed ──too many failures──▶ open ──open_time──▶ half-open ──successes──▶ closed
//                                  ▲─────────one failure─────────┘
//
// Half-open lets one request at a time through, of the whole node.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "hangu/config/config.h"

namespace hangu::policy {

class CircuitBreaker {
 public:
  enum class State : uint8_t { kClosed, kOpen, kHalfOpen };

  /// Why it opened.
  enum class Cause : uint8_t { kNone, kFailureRatio, kOwnFailures, kProbeFailed, kSlow };

  /// What a request is to the breaker; goes back with its outcome.
  enum class Ticket : uint8_t { kNone, kCounted, kProbe };

  enum class Outcome : uint8_t {
    kSuccess,
    kSlow,        // an answer, but later than `slow.over`
    kFailure,     // the upstream said so
    kOwnFailure,  // the gateway got no answer: connecting, resets, timeouts
    kUnknown,     // the client left first
  };

  struct Admission {
    Ticket ticket = Ticket::kNone;  // kNone: not admitted
    int64_t retry_in_ns = 0;        // then: at least so long
  };

  /// A change of state, for the log; told to one caller.
  struct Change {
    State state = State::kClosed;
    Cause cause = Cause::kNone;
    uint32_t requests = 0;  // in the window, with kFailureRatio and kSlow
    uint32_t failures = 0;  // or slow answers
    int64_t open_ns = 0;
  };

  struct Status {
    State state = State::kClosed;
    Cause cause = Cause::kNone;
    uint32_t successes = 0;     // of probes
    int64_t next_probe_ns = 0;  // from now; when open
  };

  explicit CircuitBreaker(uint32_t shards);

  /// What an answer is, by its status and the time to its head.
  static Outcome outcome_of(const config::CircuitBreaker& options, int status,
                            Duration latency) noexcept;

  CircuitBreaker(const CircuitBreaker&) = delete;
  CircuitBreaker& operator=(const CircuitBreaker&) = delete;

  Admission admit(int64_t now_ns, std::optional<Change>& change) noexcept;

  /// For every ticket but kNone exactly once.
  std::optional<Change> report(const config::CircuitBreaker& options, uint32_t shard, Ticket ticket,
                               Outcome outcome, int64_t now_ns) noexcept;

  Status status(int64_t now_ns) const noexcept;

 private:
  static constexpr int64_t kBuckets = 10;  // of the window

  /// Requests that ended in one part of the window. Written by one shard.
  struct Bucket {
    std::atomic<int64_t> period{-1};
    std::atomic<uint32_t> requests{0};
    std::atomic<uint32_t> failures{0};
    std::atomic<uint32_t> slow{0};
  };

  struct alignas(64) Window {
    std::array<Bucket, kBuckets> buckets;
  };

  struct Counts {
    uint32_t requests = 0;
    uint32_t failures = 0;
    uint32_t slow = 0;
  };

  /// The atomic word, taken apart.
  struct Word {
    State state = State::kClosed;
    Cause cause = Cause::kNone;
    bool probing = false;
    uint32_t successes = 0;
    uint32_t openings = 0;  // since it was last closed
    int64_t until_ms = 0;   // open until then

    static Word of(uint64_t bits) noexcept;
    uint64_t bits() const noexcept;
  };

  void count(const config::CircuitBreaker& options, uint32_t shard, Outcome outcome,
             int64_t now_ns) noexcept;
  Counts counts(const config::CircuitBreaker& options, int64_t now_ns) const noexcept;
  std::optional<Change> judge(const config::CircuitBreaker& options, Outcome outcome,
                              int64_t now_ns) noexcept;
  std::optional<Change> open(const config::CircuitBreaker& options, Word from, Change change,
                             int64_t now_ns) noexcept;
  std::optional<Change> end_probe(const config::CircuitBreaker& options, Outcome outcome,
                                  int64_t now_ns) noexcept;
  bool replace(Word from, Word to) noexcept;

  std::unique_ptr<Window[]> windows_;  // one a shard
  uint32_t shards_;
  std::atomic<uint64_t> word_{0};
  std::atomic<uint32_t> own_failures_{0};  // one after the other
  std::atomic<int64_t> closed_since_ns_{0};
};

std::string_view to_string(CircuitBreaker::State state) noexcept;
std::string_view to_string(CircuitBreaker::Cause cause) noexcept;

}  // namespace hangu::policy
