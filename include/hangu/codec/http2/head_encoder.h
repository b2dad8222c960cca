// Message heads and trailers as HPACK blocks (RFC 9113 §8.3). What belongs to a connection of
// HTTP/1.1 is left out, names go in lower case, the framing comes from the head alone. A block is
// one arena allocation, and must be sent before the next one is made. Pure but for encoder and
// arena.
#pragma once

#include <string_view>

#include "hangu/buffer/arena.h"
#include "hangu/buffer/block.h"
#include "hangu/codec/http2/hpack.h"
#include "hangu/http/message.h"

namespace hangu::codec::http2 {

struct RequestPseudo {
  std::string_view scheme;
  std::string_view authority;  // instead of the head's, if not empty
  std::string_view target;     // instead of the head's path and query, if not empty
  std::string_view protocol;   // not empty: an extended CONNECT (RFC 8441)
};

/// Content-Length is as the head's framing says.
buffer::Slice encode_request_head(HpackEncoder& encoder, const http::RequestHead& head,
                                  const RequestPseudo& pseudo, buffer::Arena& arena);

/// With framing kNone a Content-Length among the fields is passed on (a response to HEAD, 304), but
/// never in a 1xx or 204. `status` instead of the head's.
buffer::Slice encode_response_head(HpackEncoder& encoder, const http::ResponseHead& head,
                                   int status, buffer::Arena& arena);

buffer::Slice encode_trailers(HpackEncoder& encoder, const http::HeaderBlock& trailers,
                              buffer::Arena& arena);

}  // namespace hangu::codec::http2
