// The two circuit breakers a request passes: its route's and its upstream's. Both are asked before
// it is sent anywhere, and both hear once what became of it.
#pragma once

#include <optional>

#include "hangu/filter/stream.h"
#include "hangu/http/grpc.h"
#include "hangu/upstream/cluster.h"

namespace hangu::proxy {

/// What the breakers gave; kNone: the outcome has been reported.
struct Tickets {
  policy::CircuitBreaker::Ticket route = policy::CircuitBreaker::Ticket::kNone;
  policy::CircuitBreaker::Ticket upstream = policy::CircuitBreaker::Ticket::kNone;
};

/// Whether it is the one request that a half-open breaker lets through.
inline bool is_probe(const Tickets& tickets) {
  constexpr auto kProbe = policy::CircuitBreaker::Ticket::kProbe;
  return tickets.route == kProbe || tickets.upstream == kProbe;
}

/// False: one of them is open, and the stream has its answer.
bool admit(filter::Stream& stream, upstream::Cluster& cluster, Tickets& tickets) noexcept;

/// After a wait: the upstream's may have opened meanwhile. False: the same.
bool admit_again(filter::Stream& stream, upstream::Cluster& cluster, Tickets& tickets) noexcept;

/// What became of the request, without an answer.
void report(filter::Stream& stream, upstream::Cluster& cluster, Tickets& tickets,
            policy::CircuitBreaker::Outcome outcome) noexcept;

/// By which an answer is judged: of a gRPC call that has failed at once that of its failure. Calls
/// that fail later are not known to have failed when that is decided.
inline int judged_status(const filter::Stream& stream, const http::ResponseHead& response) {
  const bool call = stream.info.grpc && response.status == 200;
  const auto grpc = call ? http::grpc_status_of(response.headers) : std::nullopt;
  if (!grpc || !http::is_server_error(*grpc)) {
    return response.status;
  }
  return *grpc == http::GrpcStatus::kUnavailable ? 503 : 500;
}

/// The head of an answer; `status`: see judged_status().
void report_answer(filter::Stream& stream, upstream::Cluster& cluster, Tickets& tickets,
                   const upstream::Cluster::Answer& answer) noexcept;

/// The same of an answer that broke off after its head, which was a success at first.
void report_broken(filter::Stream& stream, upstream::Cluster& cluster) noexcept;

}  // namespace hangu::proxy
