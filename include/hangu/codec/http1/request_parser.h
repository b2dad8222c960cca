// Parses a complete HTTP/1.x request head, strictly (RFC 9110, RFC 9112): what could be read in two
// ways is an error. In place: views point into the head, whose Host is turned to lower case. Pure.
#pragma once

#include <string_view>

#include "hangu/base/result.h"
#include "hangu/codec/http1/limits.h"
#include "hangu/http/message.h"

namespace hangu::codec::http1 {

/// `head`: what HeadScanner found, through the empty line, in memory that may be written to and
/// lives as long as `out`. `out` is freshly reset(); after an error it holds what was understood so
/// far. Every error ends the connection. CONNECT is understood and refused (kNotImplemented).
Result<void> parse_request_head(std::string_view head, const Limits& limits,
                                http::RequestHead& out);

}  // namespace hangu::codec::http1
