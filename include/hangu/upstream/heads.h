// The heads as they cross the gateway: which fields a request carries to its upstream and which of
// a response's reach the client. Pure.
#pragma once

#include "hangu/filter/stream.h"
#include "hangu/upstream/client_stream.h"
#include "hangu/upstream/endpoint.h"

namespace hangu::upstream {

/// Removes from the stream's request what concerns the client's connection alone. `upgrade`: it
/// asks for a protocol switch, which passes on.
void prepare_request_head(filter::Stream& stream, bool upgrade) noexcept;

/// The stream's request for this endpoint, but for its handler. The same head may be sent again,
/// also to another endpoint.
OutgoingRequest outgoing_request(filter::Stream& stream, const Endpoint& endpoint) noexcept;

/// Removes from the stream's response what concerns the upstream connection alone.
void prepare_response_head(filter::Stream& stream) noexcept;

}  // namespace hangu::upstream
