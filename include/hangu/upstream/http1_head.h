// The heads as they cross the gateway: which fields a request carries to its upstream and which of
// a response's reach the client. Pure but for the stream's arena.
#pragma once

#include "hangu/buffer/block.h"
#include "hangu/filter/stream.h"
#include "hangu/upstream/endpoint.h"

namespace hangu::upstream {

/// The serialised HTTP/1.1 head of the stream's request. `upgrade`: it asks for a protocol switch.
/// May be called again for another endpoint.
buffer::Slice make_request_head(filter::Stream& stream, const Endpoint& endpoint,
                                bool upgrade) noexcept;

/// Removes from the stream's response what concerns the upstream connection alone.
void prepare_response_head(filter::Stream& stream) noexcept;

}  // namespace hangu::upstream
