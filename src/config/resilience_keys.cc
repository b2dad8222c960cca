#include "config/resilience_keys.h"

namespace hangu::config {
namespace {

TypePtr<std::vector<uint32_t>> failure_statuses() {
  return list<uint32_t>(number<uint32_t>({400, 599}),
                        {.name = "list of statuses", .example = "[500, 503]"});
}

// --- limits -----------------------------------------------------------------------------------

TypePtr<UpstreamLimits> limits() {
  auto type = object<UpstreamLimits>("mapping");
  type->key<&UpstreamLimits::mode>(
          mode(), {.name = "mode", .documentation = kModeDocumentation, .example = "shadow"})
      .key<&UpstreamLimits::requests_max>(
          number<uint32_t>({0, 100'000'000, {}, "no limit"}),
          {.name = "requests_max",
           .documentation = "Most requests under way. Beyond it they wait in the `queue`, if there "
                            "is one, or get 503.",
           .example = "1000"})
      .key<&UpstreamLimits::pending_max>(
          number<uint32_t>({0, 100'000'000, {}, "no limit"}),
          {.name = "pending_max",
           .documentation = "Most requests that wait for a connection; beyond it 503.",
           .example = "200"})
      .key<&UpstreamLimits::connections_max>(
          number<uint32_t>({0, 10'000'000, {}, "no limit"}),
          {.name = "connections_max",
           .documentation = "Most connections, unused ones included. A request that finds none "
                            "free waits for one.",
           .example = "500"})
      .key<&UpstreamLimits::endpoint_connections_max>(
          number<uint32_t>({0, 10'000'000, {}, "no limit"}),
          {.name = "per_endpoint_connections_max",
           .documentation = "The same for each endpoint.",
           .example = "100"});
  return type;
}

TypePtr<RequestQueue> queue() {
  auto type = object<RequestQueue>("mapping");
  type->key<&RequestQueue::max>(
          number<uint32_t>({0, 10'000'000, {}, "none waits"}),
          {.name = "max",
           .documentation = "Most requests that wait for a place among `limits.requests_max`; "
                            "beyond it 503. Those of routes with a higher `priority` go first.",
           .example = "1000"})
      .key<&RequestQueue::timeout>(
          duration(milliseconds(1), minutes(10)),
          {.name = "timeout", .documentation = "Longest wait; then 503.", .example = "200ms"});
  return type;
}

// --- retries ----------------------------------------------------------------------------------

TypePtr<std::vector<RetryReason>> retry_reasons() {
  return list<RetryReason>(
      choice<RetryReason>({{"connect_failure", RetryReason::kConnectFailure},
                           {"refused_stream", RetryReason::kRefusedStream},
                           {"goaway", RetryReason::kGoaway},
                           {"reset_before_request", RetryReason::kResetBeforeRequest},
                           {"reset", RetryReason::kReset},
                           {"timeout", RetryReason::kTimeout}}),
      {.name = "list of reasons", .example = "[connect_failure, reset]", .warn_repeated = true});
}

void add_retry_reasons(ObjectType<RetryPolicy>& type) {
  type.key<&RetryPolicy::attempts>(
          number<uint32_t>({0, 10, {}, "never"}),
          {.name = "attempts",
           .documentation = "Further tries of a request when one failed for a reason of `on` or "
                            "`statuses`. Endpoints that have not been asked come first.",
           .example = "2"})
      .key<&RetryPolicy::on>(
          retry_reasons(),
          {.name = "on",
           .documentation =
               "Why: no connection (`connect_failure`); HTTP/2 streams that the server says it did "
               "not look at (`refused_stream`, `goaway`); a kept connection that closed without an "
               "answer (`reset_before_request`, at once and besides `attempts`); any other end "
               "without an answer (`reset`); none in time (`timeout`). All but the first three are "
               "for requests that may reach the server twice: idempotent ones, those with an "
               "`Idempotency-Key`, or `non_idempotent`.",
           .example = "[connect_failure, reset, timeout]"})
      .key<&RetryPolicy::statuses>(
          failure_statuses(),
          {.name = "statuses",
           .documentation = "Answers on which such a request is tried again. A `Retry-After` of up "
                            "to a second is waited for; with a longer one the client gets it.",
           .example = "[502, 503, 504]"})
      .key<&RetryPolicy::non_idempotent>(
          on_off(), {.name = "non_idempotent",
                     .documentation = "Every request may reach the server twice, POST too.",
                     .example = "true"})
      .key<&RetryPolicy::buffer_bytes>(
          size<uint32_t>({0, 1 * kMiB, "none"}),
          {.name = "buffer",
           .documentation = "Bodies up to this size are kept until the answer begins, to be sent "
                            "again. A request with a larger one is not, once some of it has left.",
           .example = "256KiB"});
}

TypePtr<RetryPolicy> retry_policy() {
  auto type = object<RetryPolicy>("mapping");
  add_retry_reasons(*type);
  type->key<&RetryPolicy::try_timeout>(
          duration(milliseconds(1), hours(1), "none"),
          {.name = "try_timeout",
           .documentation =
               "How long a request may wait for its answer before it is tried again; the last try "
               "has what is left of the route's `timeout`. Setting it adds `timeout` to `on`; with "
               "`timeout` there and none set, each try has an equal share of the route's.",
           .example = "500ms"})
      .key<&RetryPolicy::backoff>(
          duration(milliseconds(1), minutes(1), "at once"),
          {.name = "backoff",
           .documentation = "Wait before a try, at random up to this, twice as long each time. "
                            "There is none while another endpoint can be asked.",
           .example = "10ms"})
      .key<&RetryPolicy::backoff_max>(
          duration(milliseconds(1), minutes(1)),
          {.name = "backoff_max", .documentation = "The longest of these.", .example = "1s"})
      .key<&RetryPolicy::budget_percent>(
          number<uint32_t>({0, 100}),
          {.name = "budget_percent",
           .documentation = "Of the requests under way, on each worker, that may be further tries: "
                            "an upstream in trouble gets no storm of them.",
           .example = "10"})
      .key<&RetryPolicy::budget_min>(
          number<uint32_t>({0, 1'000'000}),
          {.name = "budget_min", .documentation = "So many may in any case.", .example = "10"});
  return type;
}

/// "p95", or a duration.
class HedgeDelayType final : public ScalarType<HedgeDelay> {
 public:
  std::string name() const override { return "percentile or duration"; }

  std::string schema() const override { return "\"type\":\"string\",\"minLength\":1"; }

  std::string limits() const override { return "`p50` … `p99`, or 1ms … 1m"; }

 protected:
  std::optional<Problem> parse(Reader& /*reader*/, const std::string& text,
                               HedgeDelay& out) const override {
    constexpr uint64_t kLeast = 50;
    constexpr uint64_t kMost = 99;
    if (text.starts_with('p')) {
      const auto percentile = parse_decimal(std::string_view(text).substr(1));
      if (!percentile || *percentile < kLeast || *percentile > kMost) {
        return out_of_range(text, "p50", "p99");
      }
      out = {.percentile = static_cast<uint32_t>(*percentile), .fixed = {}};
      return std::nullopt;
    }
    const std::optional<Duration> delay = parse_duration(text);
    if (!delay) {
      return not_a_duration(text);
    }
    if (*delay < milliseconds(1) || *delay > minutes(1)) {
      return out_of_range(text, "1ms", "1m");
    }
    out = {.percentile = 0, .fixed = *delay};
    return std::nullopt;
  }

  Value format(const Config& /*config*/, const HedgeDelay& value) const override {
    return Value::scalar(value.percentile != 0 ? fmt::format("p{}", value.percentile)
                                               : format_duration(value.fixed));
  }

  std::string example() const override { return "p95"; }
};

TypePtr<Hedging> hedging() {
  auto type = switched<Hedging>("{after: p95}");
  type->mapping()
      .key<&Hedging::mode>(
          mode(), {.name = "mode", .documentation = kModeDocumentation, .example = "shadow"})
      .key<&Hedging::after>(
          std::make_unique<HedgeDelayType>(),
          {.name = "after",
           .documentation = "How long the first endpoint has: a time, or what so many percent of "
                            "the latest answers took at most (on each worker, once it has a "
                            "hundred of them).",
           .example = "50ms"})
      .key<&Hedging::percent_max>(
          number<uint32_t>({1, 100}),
          {.name = "percent_max",
           .documentation = "Of the requests that may be asked twice, on each worker.",
           .example = "10"});
  return type;
}

// --- the circuit breaker ----------------------------------------------------------------------

TypePtr<CircuitBreaker> slow_answers() {
  auto type = object<CircuitBreaker>("mapping");
  type->key<&CircuitBreaker::slow_percent>(
          number<uint32_t>({1, 100}),
          {.name = "percent",
           .documentation = "It opens when more than so many in the `window` were slow.",
           .example = "20"})
      .key<&CircuitBreaker::slow_over>(
          duration(milliseconds(1), hours(1), "none is"),
          {.name = "over",
           .documentation = "An answer whose head comes later than this is slow.",
           .example = "2s"});
  return type;
}

void add_opening(ObjectType<CircuitBreaker>& type) {
  type.key<&CircuitBreaker::failure_percent>(
          number<uint32_t>({1, 100}),
          {.name = "failure_percent",
           .documentation = "It opens when more than so many of the requests in the `window` "
                            "failed.",
           .example = "50"})
      .key<&CircuitBreaker::requests_min>(number<uint32_t>({1, 1'000'000}),
                                          {.name = "requests_min",
                                           .documentation = "With fewer in the `window` it does "
                                                            "not open for that.",
                                           .example = "100"})
      .key<&CircuitBreaker::window>(
          duration(milliseconds(100), hours(1)),
          {.name = "window", .documentation = "What is looked back on.", .example = "30s"})
      .key<&CircuitBreaker::own_failures>(
          number<uint32_t>({0, 1'000'000, {}, "they count as other failures do"}),
          {.name = "own_failures",
           .documentation = "It opens at once after so many requests in a row without any answer: "
                            "no connection, reset, or timeout.",
           .example = "5"})
      .key<&CircuitBreaker::statuses>(failure_statuses(),
                                      {.name = "statuses",
                                       .documentation = "Answers that are failures.",
                                       .example = "[500, 502, 503, 504, 429]"})
      .group(slow_answers(),
             {.name = "slow",
              .documentation = "Slow answers open it, too, by the same `window` and least number.",
              .example = "{over: 2s}"});
}

void add_closing(ObjectType<CircuitBreaker>& type) {
  type.key<&CircuitBreaker::open_time>(
          duration(milliseconds(100), hours(24)),
          {.name = "open_time",
           .documentation = "How long no request passes; then one at a time does, of the whole "
                            "node.",
           .example = "10s"})
      .key<&CircuitBreaker::open_time_max>(
          duration(milliseconds(100), hours(24)),
          {.name = "open_time_max",
           .documentation = "`open_time` doubles with each such request that fails, up to this.",
           .example = "5m"})
      .key<&CircuitBreaker::successes>(
          number<uint32_t>({1, 10'000}),
          {.name = "successes",
           .documentation = "It closes after so many of them in a row succeeded.",
           .example = "3"});
}

TypePtr<CircuitBreaker> circuit_breaker() {
  auto type = switched<CircuitBreaker>("{open_time: 10s}");
  type->mapping().key<&CircuitBreaker::mode>(
      mode(), {.name = "mode", .documentation = kModeDocumentation, .example = "shadow"});
  add_opening(type->mapping());
  add_closing(type->mapping());
  return type;
}

TypePtr<DeadlineField> deadline() {
  auto type = object<DeadlineField>("mapping");
  type->key<&DeadlineField::accept>(
          on_off(), {.name = "accept",
                     .documentation = "Believe the field of `trusted_proxies`: it bounds the whole "
                                      "request, up to the route's `timeout`.",
                     .example = "true"})
      .key<&DeadlineField::forward>(
          on_off(), {.name = "forward",
                     .documentation = "Tell the upstream how long it has: what is left of that, or "
                                      "of the route's `timeout`.",
                     .example = "true"});
  return type;
}

}  // namespace

void add_resilience(ObjectType<Upstream>& type) {
  type.key<&Upstream::circuit_breaker>(
          circuit_breaker(),
          {.name = "circuit_breaker",
           .documentation = "Answer 503 at once while the upstream fails; `off` by default.",
           .example = "{open_time: 10s}"})
      .key<&Upstream::limits>(
          limits(), {.name = "limits",
                     .documentation = "What the upstream is asked at once, by all workers "
                                      "of the node together.",
                     .example = "{requests_max: 1000}"})
      .key<&Upstream::queue>(queue(), {.name = "queue",
                                       .documentation = "Where requests over `limits.requests_max` "
                                                        "wait.",
                                       .example = "{max: 0, timeout: 500ms}"})
      .key<&Upstream::retry>(retry_policy(), {.name = "retry",
                                              .documentation = "Sending a request again.",
                                              .example = "{attempts: 2}"})
      .key<&Upstream::hedging>(hedging(),
                               {.name = "hedge",
                                .documentation = "Ask a second endpoint when the first is slow to "
                                                 "answer a GET or HEAD; `off` by default.",
                                .example = "{after: p95}"});
}

void add_resilience(ObjectType<Route>& type) {
  type.key<&Route::priority>(
          choice<Priority>(
              {{"low", Priority::kLow}, {"normal", Priority::kNormal}, {"high", Priority::kHigh}}),
          {.name = "priority",
           .documentation = "Who goes first when not all can go, and who is refused last: see also "
                            "`overload` and `adaptive_concurrency`.",
           .example = "high"})
      .key<&Route::deadline>(deadline(), {.name = "deadline",
                                          .documentation = "The field `x-request-timeout-ms`.",
                                          .example = "{forward: true}"})
      .key<&Route::circuit_breaker>(
          circuit_breaker(),
          {.name = "circuit_breaker",
           .documentation = "As of an upstream, for the requests of this route; `off` by default.",
           .example = "{open_time: 10s}"});
}

}  // namespace hangu::config
