// Parses a complete HTTP/1.x response head as strictly as a request (RFC 9112 §4, §6.3). In place:
// views point into the head. Errors carry Side::kUpstream. Pure.
#pragma once

#include <string_view>

#include "hangu/base/result.h"
#include "hangu/codec/http1/limits.h"
#include "hangu/http/message.h"

namespace hangu::codec::http1 {

/// `head` and `out` as in parse_request_head. A 1xx head is a message of its own, before the final
/// one; 101 sets `upgrade`: what follows is no HTTP. Content-Length stays among the fields of a
/// response to HEAD and of a 304, whose framing is kNone.
Result<void> parse_response_head(std::string_view head, http::Method request_method,
                                 const Limits& limits, http::ResponseHead& out);

}  // namespace hangu::codec::http1
