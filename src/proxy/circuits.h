// The two circuit breakers a request passes: its route's and its upstream's. Both are asked before
// it is sent anywhere, and both hear once what became of it.
#pragma once

#include "hangu/filter/stream.h"
#include "hangu/upstream/cluster.h"

namespace hangu::proxy {

/// What the breakers gave; kNone: the outcome has been reported.
struct Tickets {
  policy::CircuitBreaker::Ticket route = policy::CircuitBreaker::Ticket::kNone;
  policy::CircuitBreaker::Ticket upstream = policy::CircuitBreaker::Ticket::kNone;
};

/// False: one of them is open, and the stream has its answer.
bool admit(filter::Stream& stream, upstream::Cluster& cluster, Tickets& tickets) noexcept;

/// After a wait: the upstream's may have opened meanwhile. False: the same.
bool admit_again(filter::Stream& stream, upstream::Cluster& cluster, Tickets& tickets) noexcept;

/// What became of the request, without an answer.
void report(filter::Stream& stream, upstream::Cluster& cluster, Tickets& tickets,
            policy::CircuitBreaker::Outcome outcome) noexcept;

/// The head of an answer, so long after the request was sent.
void report_answer(filter::Stream& stream, upstream::Cluster& cluster, Tickets& tickets,
                   Duration latency) noexcept;

/// The same of an answer that broke off after its head, which was a success at first.
void report_broken(filter::Stream& stream, upstream::Cluster& cluster) noexcept;

}  // namespace hangu::proxy
