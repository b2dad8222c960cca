#include "hangu/codec/http2/head_encoder.h"

#include <algorithm>
#include <charconv>

#include "hangu/http/text.h"

namespace hangu::codec::http2 {
namespace {

using http::BodyFraming;
using http::HeaderName;
using http::HeaderNameSet;

// They speak of a connection of HTTP/1, or are written from what the head says.
constexpr HeaderNameSet kSkipped = http::header_name_set(
    HeaderName::kConnection, HeaderName::kKeepAlive, HeaderName::kProxyConnection,
    HeaderName::kTransferEncoding, HeaderName::kUpgrade, HeaderName::kHost);

// Of use to nobody but the two ends, and worth guessing: never in a table (RFC 7541 §7.1.3).
constexpr HeaderNameSet kSecret =
    http::header_name_set(HeaderName::kAuthorization, HeaderName::kProxyAuthorization,
                          HeaderName::kCookie, HeaderName::kSetCookie);

// They say something else in most messages.
constexpr HeaderNameSet kVolatile = http::header_name_set(
    HeaderName::kXRequestId, HeaderName::kTraceparent, HeaderName::kTracestate,
    HeaderName::kXForwardedFor, HeaderName::kXRealIp, HeaderName::kContentLength,
    HeaderName::kContentRange, HeaderName::kEtag, HeaderName::kLastModified, HeaderName::kLocation,
    HeaderName::kAge, HeaderName::kExpires, HeaderName::kIfModifiedSince, HeaderName::kIfNoneMatch);

constexpr size_t kNumberChars = 20;
constexpr size_t kPseudoCount = 5;

class BlockWriter {
 public:
  BlockWriter(HpackEncoder& encoder, buffer::Arena& arena, size_t bytes_max)
      : encoder_(encoder),
        arena_(arena),
        begin_(arena.allocate(bytes_max, 1)),
        to_(begin_) {}

  void put(std::string_view name, std::string_view value,
           HpackEncoder::Indexing indexing = HpackEncoder::Indexing::kAllowed) {
    to_ += encoder_.encode(to_, name, value, indexing);
  }

  void put_number(std::string_view name, uint64_t number,
                  HpackEncoder::Indexing indexing = HpackEncoder::Indexing::kAllowed) {
    char text[kNumberChars];
    const char* const end = std::to_chars(text, text + sizeof text, number).ptr;
    put(name, {text, static_cast<size_t>(end - text)}, indexing);
  }

  void put_all(const http::HeaderBlock& headers, HeaderNameSet skipped) {
    for (const http::Header& header : headers) {
      if ((http::bit_of(header.token) & skipped) == 0) {
        put_field(header);
      }
    }
  }

  buffer::Slice finish() {
    arena_.trim(to_);
    return arena_.slice_of({begin_, static_cast<size_t>(to_ - begin_)});
  }

 private:
  static constexpr size_t kNameCharsMax = 256;

  void put_field(const http::Header& header) {
    const HeaderNameSet bit = http::bit_of(header.token);
    const auto indexing = (bit & kSecret) != 0     ? HpackEncoder::Indexing::kNever
                          : (bit & kVolatile) != 0 ? HpackEncoder::Indexing::kNot
                                                   : HpackEncoder::Indexing::kAllowed;
    if (header.token != HeaderName::kOther) {
      put(to_string(header.token), header.value(), indexing);
      return;
    }
    // From an HTTP/1.1 peer, in whatever case it likes.
    const std::string_view name = header.name();
    char lower[kNameCharsMax];
    char* const text = name.size() <= sizeof lower ? lower : arena_name(name.size());
    std::transform(name.begin(), name.end(), text, http::to_lower);
    put({text, name.size()}, header.value(), indexing);
  }

  char* arena_name(size_t size) {
    long_name_ = std::make_unique<char[]>(size);
    return long_name_.get();
  }

  HpackEncoder& encoder_;
  buffer::Arena& arena_;
  char* begin_;
  char* to_;
  std::unique_ptr<char[]> long_name_;  // the rare name that does not fit the stack
};

/// Every field at its largest, the pseudo-header fields and Content-Length included.
size_t bytes_max(const http::HeaderBlock& headers, size_t pseudo_bytes) {
  return headers.bytes() + pseudo_bytes +
         (headers.size() + kPseudoCount + 1) * HpackEncoder::bytes_max("content-length", "");
}

std::string_view joined_target(const http::RequestHead& head, buffer::Arena& arena) {
  if (!head.has_query) {
    return head.path;
  }
  const size_t size = head.path.size() + 1 + head.query.size();
  char* const text = arena.allocate(size, 1);
  char* to = std::copy(head.path.begin(), head.path.end(), text);
  *to++ = '?';
  std::copy(head.query.begin(), head.query.end(), to);
  return {text, size};
}

}  // namespace

buffer::Slice encode_request_head(HpackEncoder& encoder, const http::RequestHead& head,
                                  const RequestPseudo& pseudo, buffer::Arena& arena) {
  const std::string_view target =
      pseudo.target.empty() ? joined_target(head, arena) : pseudo.target;
  const std::string_view authority = pseudo.authority.empty() ? head.authority : pseudo.authority;
  const bool extended = !pseudo.protocol.empty();
  const std::string_view method = extended ? "CONNECT" : head.method_text;
  BlockWriter out(encoder, arena,
                  bytes_max(head.headers, target.size() + authority.size() + method.size() +
                                              pseudo.protocol.size() + kNumberChars + 64));
  out.put(":method", method);
  if (extended) {
    out.put(":protocol", pseudo.protocol);
  }
  out.put(":scheme", pseudo.scheme);
  if (!authority.empty()) {
    out.put(":authority", authority);
  }
  out.put(":path", target, HpackEncoder::Indexing::kNot);
  out.put_all(head.headers, kSkipped | http::bit_of(HeaderName::kContentLength));
  if (head.framing == BodyFraming::kLength) {
    out.put_number("content-length", head.content_length, HpackEncoder::Indexing::kNot);
  }
  return out.finish();
}

buffer::Slice encode_response_head(HpackEncoder& encoder, const http::ResponseHead& head,
                                   int status, buffer::Arena& arena) {
  BlockWriter out(encoder, arena, bytes_max(head.headers, kNumberChars + 64));
  out.put_number(":status", static_cast<uint64_t>(status));
  const bool never_long = status < 200 || status == 204;
  const bool keep_length = head.framing == BodyFraming::kNone && !never_long;
  out.put_all(head.headers,
              kSkipped | (keep_length ? 0 : http::bit_of(HeaderName::kContentLength)));
  if (head.framing == BodyFraming::kLength && !never_long) {
    out.put_number("content-length", head.content_length, HpackEncoder::Indexing::kNot);
  }
  return out.finish();
}

buffer::Slice encode_trailers(HpackEncoder& encoder, const http::HeaderBlock& trailers,
                              buffer::Arena& arena) {
  BlockWriter out(encoder, arena, bytes_max(trailers, 0));
  out.put_all(trailers, kSkipped);
  return out.finish();
}

}  // namespace hangu::codec::http2
