#include "hangu/policy/circuit_breaker.h"

#include <algorithm>

namespace hangu::policy {
namespace {

constexpr int64_t kMillisecondNs = 1'000'000;
constexpr uint32_t kOpeningsMax = 31;
constexpr uint32_t kSuccessesMax = 0xffff;

int64_t bucket_ns(const config::CircuitBreaker& options, int64_t buckets) {
  return std::max<int64_t>(options.window.count() / buckets, kMillisecondNs);
}

/// Doubles with each opening that follows another, up to the most.
int64_t open_ns(const config::CircuitBreaker& options, uint32_t openings) {
  int64_t time = options.open_time.count();
  const int64_t most = std::max(options.open_time_max.count(), time);
  for (uint32_t i = 1; i < openings && time < most; ++i) {
    time *= 2;
  }
  return std::min(time, most);
}

}  // namespace

// The word: state 2 bits, cause 3, probing 1, successes 16, openings 5, until 37.
CircuitBreaker::Word CircuitBreaker::Word::of(uint64_t bits) noexcept {
  return {.state = static_cast<State>(bits & 3),
          .cause = static_cast<Cause>(bits >> 2 & 7),
          .probing = (bits >> 5 & 1) != 0,
          .successes = static_cast<uint32_t>(bits >> 6 & kSuccessesMax),
          .openings = static_cast<uint32_t>(bits >> 22 & kOpeningsMax),
          .until_ms = static_cast<int64_t>(bits >> 27)};
}

uint64_t CircuitBreaker::Word::bits() const noexcept {
  return static_cast<uint64_t>(state) | static_cast<uint64_t>(cause) << 2 |
         static_cast<uint64_t>(probing ? 1 : 0) << 5 |
         static_cast<uint64_t>(std::min(successes, kSuccessesMax)) << 6 |
         static_cast<uint64_t>(std::min(openings, kOpeningsMax)) << 22 |
         static_cast<uint64_t>(until_ms) << 27;
}

CircuitBreaker::CircuitBreaker(uint32_t shards)
    : windows_(std::make_unique<Window[]>(shards)),
      shards_(shards) {}

bool CircuitBreaker::replace(Word from, Word to) noexcept {
  uint64_t expected = from.bits();
  return word_.compare_exchange_strong(expected, to.bits(), std::memory_order_acq_rel);
}

CircuitBreaker::Admission CircuitBreaker::admit(int64_t now_ns,
                                                std::optional<Change>& change) noexcept {
  for (;;) {
    const Word word = Word::of(word_.load(std::memory_order_acquire));
    const int64_t left_ns = word.until_ms * kMillisecondNs - now_ns;
    if (word.state == State::kClosed) {
      return {.ticket = Ticket::kCounted};
    }
    if (word.state == State::kOpen && left_ns > 0) {
      return {.retry_in_ns = left_ns};
    }
    if (word.state == State::kHalfOpen && word.probing) {
      return {.retry_in_ns = 0};
    }
    Word probing = word;
    probing.state = State::kHalfOpen;
    probing.probing = true;
    if (replace(word, probing)) {
      if (word.state == State::kOpen) {
        change = Change{.state = State::kHalfOpen, .cause = word.cause};
      }
      return {.ticket = Ticket::kProbe};
    }
  }
}

// --- outcomes ---------------------------------------------------------------------------------

CircuitBreaker::Outcome CircuitBreaker::outcome_of(const config::CircuitBreaker& options,
                                                   int status, Duration latency) noexcept {
  const auto& failures = options.statuses;
  if (std::find(failures.begin(), failures.end(), static_cast<uint32_t>(status)) !=
      failures.end()) {
    return Outcome::kFailure;
  }
  const bool slow = options.slow_over != Duration::zero() && latency > options.slow_over;
  return slow ? Outcome::kSlow : Outcome::kSuccess;
}

void CircuitBreaker::count(const config::CircuitBreaker& options, uint32_t shard, Outcome outcome,
                           int64_t now_ns) noexcept {
  const int64_t period = now_ns / bucket_ns(options, kBuckets);
  Bucket& bucket = windows_[shard].buckets[static_cast<size_t>(period % kBuckets)];
  if (bucket.period.load(std::memory_order_relaxed) != period) {
    bucket.requests.store(0, std::memory_order_relaxed);
    bucket.failures.store(0, std::memory_order_relaxed);
    bucket.slow.store(0, std::memory_order_relaxed);
    bucket.period.store(period, std::memory_order_relaxed);
  }
  const auto add = [](std::atomic<uint32_t>& number, uint32_t more) {
    number.store(number.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
  };
  add(bucket.requests, 1);
  add(bucket.failures, outcome == Outcome::kFailure || outcome == Outcome::kOwnFailure ? 1 : 0);
  add(bucket.slow, outcome == Outcome::kSlow ? 1 : 0);
}

/// Of all shards, since it was last closed.
CircuitBreaker::Counts CircuitBreaker::counts(const config::CircuitBreaker& options,
                                              int64_t now_ns) const noexcept {
  const int64_t length = bucket_ns(options, kBuckets);
  const int64_t last = now_ns / length;
  const int64_t since = closed_since_ns_.load(std::memory_order_relaxed);
  const int64_t first = std::max(last - kBuckets + 1, since == 0 ? 0 : since / length + 1);
  Counts all;
  for (const Window& window : std::span(windows_.get(), shards_)) {
    for (const Bucket& bucket : window.buckets) {
      const int64_t period = bucket.period.load(std::memory_order_relaxed);
      if (period >= first && period <= last) {
        all.requests += bucket.requests.load(std::memory_order_relaxed);
        all.failures += bucket.failures.load(std::memory_order_relaxed);
        all.slow += bucket.slow.load(std::memory_order_relaxed);
      }
    }
  }
  return all;
}

std::optional<CircuitBreaker::Change> CircuitBreaker::report(const config::CircuitBreaker& options,
                                                             uint32_t shard, Ticket ticket,
                                                             Outcome outcome,
                                                             int64_t now_ns) noexcept {
  if (ticket == Ticket::kProbe) {
    return end_probe(options, outcome, now_ns);
  }
  if (ticket == Ticket::kNone || outcome == Outcome::kUnknown) {
    return std::nullopt;
  }
  count(options, shard, outcome, now_ns);
  if (outcome != Outcome::kOwnFailure && own_failures_.load(std::memory_order_relaxed) != 0) {
    own_failures_.store(0, std::memory_order_relaxed);
  }
  return outcome != Outcome::kSuccess ? judge(options, outcome, now_ns) : std::nullopt;
}

/// After a failure or a slow answer: whether that was one too many.
std::optional<CircuitBreaker::Change> CircuitBreaker::judge(const config::CircuitBreaker& options,
                                                            Outcome outcome,
                                                            int64_t now_ns) noexcept {
  const Word word = Word::of(word_.load(std::memory_order_acquire));
  if (word.state != State::kClosed) {
    return std::nullopt;  // a request from before it opened
  }
  if (outcome == Outcome::kOwnFailure && options.own_failures != 0 &&
      own_failures_.fetch_add(1, std::memory_order_relaxed) + 1 >= options.own_failures) {
    return open(options, word, {.cause = Cause::kOwnFailures}, now_ns);
  }
  const Counts all = counts(options, now_ns);
  const auto too_many = [&all](uint32_t count, uint32_t percent) {
    return uint64_t{count} * 100 > uint64_t{all.requests} * percent;
  };
  if (all.requests < options.requests_min) {
    return std::nullopt;
  }
  if (too_many(all.failures, options.failure_percent)) {
    return open(options, word,
                {.cause = Cause::kFailureRatio, .requests = all.requests, .failures = all.failures},
                now_ns);
  }
  if (too_many(all.slow, options.slow_percent)) {
    return open(options, word,
                {.cause = Cause::kSlow, .requests = all.requests, .failures = all.slow}, now_ns);
  }
  return std::nullopt;
}

std::optional<CircuitBreaker::Change> CircuitBreaker::open(const config::CircuitBreaker& options,
                                                           Word from, Change change,
                                                           int64_t now_ns) noexcept {
  Word opened{.state = State::kOpen, .cause = change.cause, .openings = from.openings + 1};
  change.state = State::kOpen;
  change.open_ns = open_ns(options, opened.openings);
  opened.until_ms = (now_ns + change.open_ns) / kMillisecondNs;
  return replace(from, opened) ? std::optional(change) : std::nullopt;
}

/// Nobody else changes the word while a probe is under way.
std::optional<CircuitBreaker::Change> CircuitBreaker::end_probe(
    const config::CircuitBreaker& options, Outcome outcome, int64_t now_ns) noexcept {
  const Word word = Word::of(word_.load(std::memory_order_acquire));
  if (outcome != Outcome::kSuccess && outcome != Outcome::kUnknown) {
    return open(options, word, {.cause = Cause::kProbeFailed}, now_ns);
  }
  Word next = word;
  next.probing = false;
  next.successes += outcome == Outcome::kSuccess ? 1 : 0;
  if (next.successes < options.successes) {
    replace(word, next);
    return std::nullopt;
  }
  own_failures_.store(0, std::memory_order_relaxed);
  closed_since_ns_.store(now_ns, std::memory_order_relaxed);
  replace(word, Word{});
  return Change{.state = State::kClosed};
}

CircuitBreaker::Status CircuitBreaker::status(int64_t now_ns) const noexcept {
  const Word word = Word::of(word_.load(std::memory_order_acquire));
  const int64_t left_ns = std::max<int64_t>(word.until_ms * kMillisecondNs - now_ns, 0);
  return {.state = word.state,
          .cause = word.cause,
          .successes = word.successes,
          .next_probe_ns = word.state == State::kOpen ? left_ns : 0};
}

std::string_view to_string(CircuitBreaker::State state) noexcept {
  switch (state) {
    case CircuitBreaker::State::kClosed: return "closed";
    case CircuitBreaker::State::kOpen: return "open";
    case CircuitBreaker::State::kHalfOpen: return "half_open";
  }
  return "";
}

std::string_view to_string(CircuitBreaker::Cause cause) noexcept {
  switch (cause) {
    case CircuitBreaker::Cause::kNone: return "";
    case CircuitBreaker::Cause::kFailureRatio: return "failure_ratio";
    case CircuitBreaker::Cause::kOwnFailures: return "own_failures";
    case CircuitBreaker::Cause::kProbeFailed: return "probe_failed";
    case CircuitBreaker::Cause::kSlow: return "slow";
  }
  return "";
}

}  // namespace hangu::policy
