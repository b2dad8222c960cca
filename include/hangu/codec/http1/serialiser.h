// Writes message heads and chunk framing. A head is one arena allocation of its exact size. Framing
// and connection fields come from the caller alone: Connection, Keep-Alive, Transfer-Encoding and
// (unless stated) Content-Length and Upgrade among the head's fields are never written, so that no
// message can carry two opinions on where it ends. Pure but for the arena.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "hangu/buffer/arena.h"
#include "hangu/buffer/block.h"
#include "hangu/http/message.h"

namespace hangu::codec::http1 {

struct RequestFraming {
  http::BodyFraming framing = http::BodyFraming::kNone;
  uint64_t content_length = 0;  // with kLength
  bool close = false;           // Connection: close
  bool upgrade = false;         // Connection: upgrade; the Upgrade field is passed on
  std::string_view target;      // instead of the head's path and query
  std::string_view host;        // instead of the head's Host
};

/// "METHOD target HTTP/1.1" and the fields, Host first.
buffer::Slice serialise_request_head(const http::RequestHead& head, const RequestFraming& framing,
                                     buffer::Arena& arena);

struct ResponseFraming {
  http::BodyFraming framing = http::BodyFraming::kNone;
  uint64_t content_length = 0;  // with kLength
  bool close = false;           // Connection: close
  bool upgrade = false;         // Connection: upgrade; the Upgrade field is passed on
  bool http10 = false;          // the client speaks HTTP/1.0: it must be told of keep-alive
};

/// "HTTP/1.1 status reason" and the fields. With kNone a Content-Length among the fields is passed
/// on (a response to HEAD, 304), but never in a 1xx or 204.
buffer::Slice serialise_response_head(const http::ResponseHead& head,
                                      const ResponseFraming& framing, buffer::Arena& arena);

/// The last chunk with trailer fields: "0", the fields, the empty line.
buffer::Slice serialise_trailers(const http::HeaderBlock& trailers, buffer::Arena& arena);

inline constexpr size_t kChunkHeaderBytesMax = 18;  // 16 digits, CRLF

/// Writes "<size in hexadecimal>\r\n" and returns how many bytes. `out` has room for
/// kChunkHeaderBytesMax. A size of 0 would be the last chunk: not for here.
size_t write_chunk_header(char* out, uint64_t size);

}  // namespace hangu::codec::http1
