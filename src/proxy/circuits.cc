#include "proxy/circuits.h"

#include <algorithm>
#include <utility>

#include "hangu/stats/route_stats.h"
#include "hangu/upstream/circuit_log.h"

namespace hangu::proxy {
namespace {

using Breaker = policy::CircuitBreaker;
using Ticket = Breaker::Ticket;

constexpr std::string_view kOrigin = "circuit_breaker";

struct Refusal {
  std::string_view code;
  std::string_view rule;  // the name of the route or upstream
  std::string_view detail;
};

void refuse(filter::Stream& stream, const Refusal& refusal,
            const Breaker::Admission& admission) noexcept {
  constexpr int64_t kSecondNs = 1'000'000'000;
  const int64_t seconds = (admission.retry_in_ns + kSecondNs - 1) / kSecondNs;
  stream.info.rule = stream.arena().copy(refusal.rule);
  stream.send_local_reply({.status = 503,
                           .code = refusal.code,
                           .detail = refusal.detail,
                           .retry_after_s = static_cast<uint32_t>(std::max<int64_t>(seconds, 1)),
                           .type = http::kReducedCapacity},
                          kOrigin);
}

int64_t now_ns(const filter::Stream& stream) {
  return stream.now().time_since_epoch().count();
}

// --- the route's ------------------------------------------------------------------------------

void tell(filter::Stream& stream, const Breaker::Change& change) noexcept {
  const filter::RouteRuntime& route = *stream.route();
  upstream::log_change("route", route.config->name, change);
  route.stats->circuit_state.set(static_cast<uint64_t>(change.state));
  if (change.state == Breaker::State::kOpen) {
    route.stats->slot(stream.shard().shard()).circuit_opened.add();
  }
}

/// False: it is open, and that is in force.
bool admit_to_route(filter::Stream& stream, Tickets& tickets) noexcept {
  const filter::RouteRuntime& route = *stream.route();
  if (route.breaker == nullptr) {
    return true;
  }
  std::optional<Breaker::Change> change;
  const Breaker::Admission admission = route.breaker->admit(now_ns(stream), change);
  if (change) {
    tell(stream, *change);
  }
  tickets.route = admission.ticket;
  if (admission.ticket != Ticket::kNone) {
    return true;
  }
  stats::RouteSlot& stats = route.stats->slot(stream.shard().shard());
  if (route.config->circuit_breaker.mode == config::Mode::kShadow) {
    stats.circuit_shadow_rejected.add();
    stream.note_shadow(kOrigin);
    return true;
  }
  stats.circuit_rejected.add();
  refuse(stream,
         {.code = "route.circuit_open",
          .rule = route.config->name,
          .detail = "requests of this route have failed too often"},
         admission);
  return false;
}

void report_to_route(filter::Stream& stream, Tickets& tickets, Breaker::Outcome outcome) noexcept {
  const Ticket ticket = std::exchange(tickets.route, Ticket::kNone);
  if (ticket == Ticket::kNone) {
    return;
  }
  const filter::RouteRuntime& route = *stream.route();
  if (const auto change = route.breaker->report(
          route.config->circuit_breaker, stream.shard().shard(), ticket, outcome, now_ns(stream))) {
    tell(stream, *change);
  }
}

// --- the upstream's ---------------------------------------------------------------------------

bool admit_to_upstream(filter::Stream& stream, upstream::Cluster& cluster,
                       Tickets& tickets) noexcept {
  const Breaker::Admission admission = cluster.admit();
  tickets.upstream = admission.ticket;
  if (admission.ticket != Ticket::kNone) {
    return true;
  }
  if (cluster.config().circuit_breaker.mode != config::Mode::kEnforce) {
    stream.note_shadow(kOrigin);
    return true;
  }
  report_to_route(stream, tickets, Breaker::Outcome::kUnknown);
  refuse(stream,
         {.code = "upstream.circuit_open",
          .rule = cluster.config().name,
          .detail = "the upstream has failed too often"},
         admission);
  return false;
}

void report_to_upstream(upstream::Cluster& cluster, Tickets& tickets,
                        Breaker::Outcome outcome) noexcept {
  const Ticket ticket = std::exchange(tickets.upstream, Ticket::kNone);
  if (ticket != Ticket::kNone) {
    cluster.report(ticket, outcome);
  }
}

}  // namespace

bool admit(filter::Stream& stream, upstream::Cluster& cluster, Tickets& tickets) noexcept {
  return admit_to_route(stream, tickets) && admit_to_upstream(stream, cluster, tickets);
}

bool admit_again(filter::Stream& stream, upstream::Cluster& cluster, Tickets& tickets) noexcept {
  return tickets.upstream != Ticket::kCounted || admit_to_upstream(stream, cluster, tickets);
}

void report(filter::Stream& stream, upstream::Cluster& cluster, Tickets& tickets,
            policy::CircuitBreaker::Outcome outcome) noexcept {
  report_to_upstream(cluster, tickets, outcome);
  report_to_route(stream, tickets, outcome);
}

void report_broken(filter::Stream& stream, upstream::Cluster& cluster) noexcept {
  Tickets tickets{.upstream = Ticket::kCounted};
  if (stream.route()->breaker != nullptr) {
    tickets.route = Ticket::kCounted;
  }
  report(stream, cluster, tickets, Breaker::Outcome::kOwnFailure);
}

void report_answer(filter::Stream& stream, upstream::Cluster& cluster, Tickets& tickets,
                   const upstream::Cluster::Answer& answer) noexcept {
  const auto outcome = [&](const config::CircuitBreaker& options) {
    return Breaker::outcome_of(options, answer.status, answer.latency);
  };
  report_to_upstream(cluster, tickets, outcome(cluster.config().circuit_breaker));
  if (tickets.route != Ticket::kNone) {
    report_to_route(stream, tickets, outcome(stream.route()->config->circuit_breaker));
  }
}

}  // namespace hangu::proxy
