// RequestHead and ResponseHead: a parsed message head of any HTTP version. All views lie in the
// stream's arena (or static memory) and live as long as it. Owned by the stream, one thread; no
// I/O.
#pragma once

#include <cstdint>
#include <string_view>

#include "hangu/buffer/arena.h"
#include "hangu/http/header_block.h"
#include "hangu/http/method.h"
#include "hangu/http/status.h"

namespace hangu::http {

/// How a message's body ends (RFC 9112 §6.3).
enum class BodyFraming : uint8_t {
  kNone,        // there is none
  kLength,      // after content_length bytes (which may be 0)
  kChunked,     // with the last chunk
  kUntilClose,  // with the connection; responses only
};

struct RequestHead {
  Method method = Method::kGet;
  Version version = Version::kHttp11;
  BodyFraming framing = BodyFraming::kNone;
  bool keep_alive = false;       // the client lets the connection live on
  bool expect_continue = false;  // Expect: 100-continue
  bool upgrade = false;          // asks for a protocol that may be tunnelled (never h2c or TLS)
  uint16_t port = 0;             // of the authority; 0: none given
  uint64_t content_length = 0;   // with kLength
  std::string_view method_text;
  std::string_view target;  // as received
  std::string_view path;    // of the target, as received until normalise_path(); "*" for OPTIONS *
  std::string_view query;   // without '?'
  bool has_query = false;   // "/?" has an empty one
  std::string_view authority;  // lower case, with the port; empty: an HTTP/1.0 request without Host
  std::string_view host;       // lower case, no port, no trailing dot
  HeaderBlock headers;

  /// Back to the initial state; fields go into `arena`. Needed before the head is parsed.
  void reset(buffer::Arena& arena);
};

struct ResponseHead {
  int status = 0;
  Version version = Version::kHttp11;
  BodyFraming framing = BodyFraming::kNone;
  bool keep_alive = false;      // the upstream lets the connection live on
  bool upgrade = false;         // 101
  uint64_t content_length = 0;  // with kLength
  std::string_view reason;      // may be empty
  HeaderBlock headers;

  void reset(buffer::Arena& arena);
};

/// Both refer to the same texts afterwards; the list of fields of `to` lies in `arena`.
void copy_head(const ResponseHead& from, ResponseHead& to, buffer::Arena& arena);

}  // namespace hangu::http
