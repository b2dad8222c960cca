// What a filter needs of its shard to ask an upstream something itself while a request waits: an
// authorization service, the server that issued a token. The question takes the way of all requests
// to that upstream (balancing, health, circuit breaker, retries, TLS, pooled connections), and the
// answer comes whole, bounded in size and time.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "hangu/base/clock.h"
#include "hangu/buffer/arena.h"
#include "hangu/filter/snapshot.h"
#include "hangu/http/message.h"

namespace hangu::filter {

class Stream;

/// Whom to ask. Immutable, as long-lived as the snapshot of the stream that asks.
class CalloutTarget {
 public:
  /// `cluster`: its number, see RouteRuntime::cluster. `answer_bytes_max`: of a body.
  CalloutTarget(uint32_t cluster, Duration timeout, uint64_t answer_bytes_max);

  /// What holds for the question in place of the asking stream's route.
  const RouteRuntime& route() const { return route_; }

  Duration timeout() const { return timeout_; }

  uint64_t answer_bytes_max() const { return answer_bytes_max_; }

 private:
  RouteRuntime route_;
  Duration timeout_;
  uint64_t answer_bytes_max_;
};

/// The field that counts how often a request has come from a question of a gateway.
inline constexpr std::string_view kCalloutMark = "x-hangu-callout";
uint32_t callout_depth(const Stream& stream) noexcept;

/// For streams that no filter is to see.
SnapshotRef without_filters();

// Why there is no answer, as logs and metrics name it.
inline constexpr std::string_view kCalloutTimeout = "timeout";
/// Nobody could be asked: no endpoint, no connection, an open circuit breaker, a full queue.
inline constexpr std::string_view kCalloutUnreachable = "unreachable";
/// The connection broke, or what came is not HTTP.
inline constexpr std::string_view kCalloutBroken = "broken";

/// Its views live until on_callout_answer() returns.
struct CalloutAnswer {
  std::string_view fault;  // empty: there is an answer
  const http::ResponseHead* head = nullptr;
  std::string_view body;  // as much as was wanted
  bool cut = false;       // there was more of it
  Duration took{};
};

class CalloutAsker {
 public:
  /// Once, at the end of a turn of the loop, so never before Callout::send() has returned; not
  /// after Callout::cancel().
  virtual void on_callout_answer(const CalloutAnswer& answer) noexcept = 0;

 protected:
  ~CalloutAsker() = default;
};

/// A question: to be filled in, then to be sent. Gone once it is answered or cancelled.
class Callout {
 public:
  /// Its method and fields; what they refer to lies in arena() or outlives the callout.
  virtual http::RequestHead& request() noexcept = 0;
  virtual buffer::Arena& arena() noexcept = 0;
  /// `target`: path and query. It lies in arena() or outlives the callout, `body` lies in arena().
  virtual void send(std::string_view target, std::string_view body) noexcept = 0;
  virtual void cancel() noexcept = 0;

 protected:
  ~Callout() = default;
};

class Callouts {
 public:
  /// `asker` hears the answer; what is known of `stream`'s client holds for the question, too.
  virtual Callout& begin(Stream& stream, const CalloutTarget& target,
                         CalloutAsker& asker) noexcept = 0;

 protected:
  ~Callouts() = default;
};

}  // namespace hangu::filter
