#include "hangu/http/local_reply.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "hangu/buffer/decimal_text.h"

namespace hangu::http {
namespace {

constexpr uint32_t kRetryAfterSeconds = 1;

struct Mapping {
  int status;
  std::string_view code;
};

constexpr Mapping kInternalMapping{500, "internal"};

/// The client's fault.
Mapping map_downstream(Errc code) {
  switch (code) {
    case Errc::kBadRequestLine: return {400, "bad_request.request_line"};
    case Errc::kBadHeader: return {400, "bad_request.header"};
    case Errc::kBadHost: return {400, "bad_request.host"};
    case Errc::kBadPath: return {400, "bad_request.path"};
    case Errc::kBadFraming: return {400, "bad_request.framing"};
    case Errc::kBadChunk: return {400, "bad_request.chunk"};
    case Errc::kBadProxyHeader: return {400, "bad_request.proxy_header"};
    case Errc::kBadVersion: return {505, "bad_request.version"};
    case Errc::kUriTooLong: return {414, "limit.uri"};
    case Errc::kHeadersTooLarge: return {431, "limit.headers"};
    case Errc::kBodyTooLarge: return {413, "limit.body"};
    case Errc::kExpectationFailed: return {417, "bad_request.expectation"};
    case Errc::kNotImplemented: return {501, "not_implemented"};
    case Errc::kReset:
    case Errc::kUnexpectedEof:
    case Errc::kUnexpectedData: return {400, "bad_request.incomplete"};
    case Errc::kTimeout:
    case Errc::kIdleTimeout: return {408, "client.timeout"};
    default: return kInternalMapping;
  }
}

Mapping map_upstream(Errc code) {
  switch (code) {
    case Errc::kBadRequestLine:
    case Errc::kBadHeader:
    case Errc::kBadHost:
    case Errc::kBadPath:
    case Errc::kBadFraming:
    case Errc::kBadChunk:
    case Errc::kBadVersion:
    case Errc::kBadStatusLine:
    case Errc::kUriTooLong:
    case Errc::kHeadersTooLarge:
    case Errc::kNotImplemented:
    case Errc::kUnexpectedData: return {502, "upstream.protocol"};
    case Errc::kBodyTooLarge: return {502, "upstream.body_too_large"};
    case Errc::kReset:
    case Errc::kUnexpectedEof: return {502, "upstream.reset"};
    case Errc::kTlsHandshake:
    case Errc::kTlsCertificate: return {502, "upstream.tls"};
    case Errc::kConnectFailed:
    case Errc::kConnectTimeout: return {503, "upstream.connect"};
    case Errc::kTimeout:
    case Errc::kIdleTimeout: return {504, "upstream.timeout"};
    default: return kInternalMapping;
  }
}

/// Nobody's fault in particular: policy and resources, whatever the side.
Mapping map_policy(Errc code) {
  switch (code) {
    case Errc::kNoRoute: return {404, "route.none"};
    case Errc::kMethodNotAllowed: return {405, "route.method"};
    case Errc::kMisdirected: return {421, "host.misdirected"};
    case Errc::kTooEarly: return {425, "request.too_early"};
    case Errc::kNoEndpoint: return {503, "upstream.none"};
    case Errc::kOverflow: return {503, "upstream.overflow"};
    case Errc::kQueueTimeout: return {503, "upstream.queue_timeout"};
    case Errc::kDraining: return {503, "draining"};
    case Errc::kResource: return {503, "overload.shed"};
    default: return kInternalMapping;
  }
}

/// There is a limit to what is done at once, and it was reached.
bool is_reduced_capacity(Errc code) {
  return code == Errc::kOverflow || code == Errc::kQueueTimeout || code == Errc::kResource;
}

/// Malformed input leaves no border to the next request; so do a body and a head that were not
/// read.
bool must_close(Mapping mapping) {
  switch (mapping.status) {
    case 400:
    case 408:
    case 413:
    case 414:
    case 417:
    case 431:
    case 501:
    case 505: return true;
    default: return mapping.code == "draining";
  }
}

constexpr char kHexDigits[] = "0123456789abcdef";

/// Writes text into memory that was measured before.
class Writer {
 public:
  explicit Writer(char* out)
      : begin_(out),
        to_(out) {}

  void raw(std::string_view text) {
    std::memcpy(to_, text.data(), text.size());
    to_ += text.size();
  }

  void number(uint64_t value) { to_ = std::to_chars(to_, to_ + kNumberBytesMax, value).ptr; }

  /// A JSON string without its quotes. Bytes above 0x7f need not be UTF-8: they are replaced.
  void escaped(std::string_view text) {
    for (const char c : text) {
      const auto byte = static_cast<unsigned char>(c);
      if (c == '"' || c == '\\') {
        *to_++ = '\\';
        *to_++ = c;
      } else if (byte < 0x20 || byte >= 0x7f) {
        raw(byte >= 0x80 ? "\\ufffd" : "\\u00");
        if (byte < 0x80) {
          *to_++ = kHexDigits[byte >> 4];
          *to_++ = kHexDigits[byte & 0x0f];
        }
      } else {
        *to_++ = c;
      }
    }
  }

  void member(std::string_view name, std::string_view text) {
    raw(name);
    escaped(text);
    raw("\"");
  }

  std::string_view text() const { return {begin_, static_cast<size_t>(to_ - begin_)}; }

  static constexpr size_t kNumberBytesMax = 20;
  static constexpr size_t kEscapedBytesMax = 6;  // of one byte

 private:
  char* begin_;
  char* to_;
};

}  // namespace

LocalReply local_reply_for(const Error& error) noexcept {
  Mapping mapping = map_policy(error.code);
  if (mapping.status == kInternalMapping.status && error.side != Side::kInternal) {
    mapping =
        error.side == Side::kDownstream ? map_downstream(error.code) : map_upstream(error.code);
  }
  const bool internal = mapping.status == kInternalMapping.status;
  LocalReply reply{.status = mapping.status,
                   .code = mapping.code,
                   .detail = internal ? std::string_view{} : std::string_view(error.detail),
                   .retry_after_s = mapping.status == 503 ? kRetryAfterSeconds : 0,
                   .close = must_close(mapping)};
  if (is_reduced_capacity(error.code)) {
    reply.type = kReducedCapacity;
  }
  return reply;
}

std::string_view render_problem_json(const LocalReply& reply, std::string_view request_id,
                                     buffer::Arena& arena) {
  // The names and punctuation below, and the longest reason phrase, are well within this.
  constexpr size_t kFixedBytesMax = 256;
  const size_t escaped = reply.type.size() + reply.violated_policy.size() + reply.code.size() +
                         reply.detail.size() + request_id.size();
  Writer out(arena.allocate(kFixedBytesMax + escaped * Writer::kEscapedBytesMax, 1));
  out.member(R"({"type":")", reply.type);
  out.member(R"(,"title":")", reason_phrase(reply.status));
  out.raw(R"(,"status":)");
  out.number(static_cast<uint64_t>(std::max(reply.status, 0)));
  out.member(R"(,"code":")", reply.code);
  if (!reply.detail.empty()) {
    out.member(R"(,"detail":")", reply.detail);
  }
  if (!request_id.empty()) {
    out.member(R"(,"request_id":")", request_id);
  }
  if (reply.retry_after_s != 0) {
    out.raw(R"(,"retry_after":)");
    out.number(reply.retry_after_s);
  }
  if (!reply.violated_policy.empty()) {
    out.member(R"(,"violated-policies":[")", reply.violated_policy);
    out.raw("]");
  }
  out.raw("}\n");
  return out.text();
}

std::string_view make_local_response(const LocalReply& reply, std::string_view request_id,
                                     buffer::Arena& arena, ResponseHead& response) {
  response.reset(arena);
  response.status = reply.status;
  response.reason = reason_phrase(reply.status);
  response.keep_alive = !reply.close;
  HeaderBlock& headers = response.headers;
  const bool bodiless = reply.status == 204 || reply.status == 304;
  const bool problem = reply.content_type.empty();
  if (!bodiless) {
    headers.add(HeaderName::kContentType,
                problem ? std::string_view("application/problem+json") : reply.content_type);
  }
  if (!reply.cacheable) {
    headers.add(HeaderName::kCacheControl, "no-store");
  }
  if (reply.status == 405) {
    headers.add(HeaderName::kAllow, reply.allow);
  }
  if (reply.retry_after_s != 0) {
    headers.add(HeaderName::kRetryAfter, buffer::decimal_text(reply.retry_after_s, arena));
  }
  for (const ReplyField& field : reply.fields) {
    headers.add(field.name, field.value);
  }
  if (bodiless) {
    return {};  // RFC 9110 §8.6: without Content-Length, too
  }
  const std::string_view body =
      problem ? render_problem_json(reply, request_id, arena) : arena.copy(reply.body);
  response.framing = BodyFraming::kLength;
  response.content_length = body.size();
  return body;
}

}  // namespace hangu::http
