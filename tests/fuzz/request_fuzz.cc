// Fuzz target: any bytes from a client. However they are cut, the same requests come out; and a
// request that passes, written as the gateway writes it to an upstream, is read there as the same
// one request.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "hangu/base/assert.h"
#include "hangu/codec/http1/request_parser.h"
#include "hangu/codec/http1/serialiser.h"
#include "hangu/http/hop_by_hop.h"
#include "hangu/http/host.h"
#include "hangu/http/path.h"
#include "hangu/http/text.h"

#include "tests/fuzz/http1_run.h"

namespace hangu::codec::http1 {

namespace {

struct Request {
  using Head = http::RequestHead;

  struct Context {};

  static constexpr HeadScanner::Kind kKind = HeadScanner::Kind::kRequest;
  static constexpr Side kSide = Side::kDownstream;

  static Result<void> parse(std::string_view head, const Context&, Head& out) {
    return parse_request_head(head, Limits{}, out);
  }

  static bool last(const Head& head) { return !head.keep_alive || head.upgrade; }

  static std::string describe(const Head& head) {
    std::string text(head.method_text);
    text.append(" ").append(head.target).append(" ").append(head.path);
    text.append(head.has_query ? " ?" : " ").append(head.query);
    text.append(" ").append(head.authority).append(" ").append(head.host);
    for (const uint64_t number :
         {uint64_t{head.port}, head.content_length, static_cast<uint64_t>(head.framing),
          static_cast<uint64_t>(head.version), static_cast<uint64_t>(head.method)}) {
      text.append(" ").append(std::to_string(number));
    }
    text.append(head.keep_alive ? " keep-alive" : "").append(head.upgrade ? " upgrade" : "");
    return text.append(head.expect_continue ? " expect\n" : "\n");
  }
};

using Run = fuzz::Http1Run<Request>;

/// What the parser promises of every request that it lets pass.
void check_head(const http::RequestHead& head) {
  HANGU_ASSERT(http::is_token(head.method_text));
  HANGU_ASSERT(http::method_from(head.method_text) == head.method);
  HANGU_ASSERT(head.method != http::Method::kConnect);
  HANGU_ASSERT(head.framing != http::BodyFraming::kUntilClose);
  HANGU_ASSERT(head.path == "*" || head.path.front() == '/');
  HANGU_ASSERT(!head.authority.empty() || head.version == http::Version::kHttp10);
  if (!head.authority.empty()) {
    const auto authority = http::parse_authority(head.authority);
    HANGU_ASSERT(authority && authority->host == head.host && authority->port == head.port);
  }
  for (const http::Header& header : head.headers) {
    HANGU_ASSERT(http::is_token(header.name()) && http::is_field_value(header.value()));
    HANGU_ASSERT(http::trim_ows(header.value()) == header.value());
    HANGU_ASSERT(http::header_name_from(header.name()) == header.token);
  }
}

/// The fields that the codec itself writes.
std::string end_to_end(http::HeaderBlock& headers) {
  headers.remove(http::HeaderName::kHost);
  headers.remove(http::HeaderName::kContentLength);
  headers.remove(http::HeaderName::kTransferEncoding);
  headers.remove(http::HeaderName::kConnection);
  return fuzz::describe(headers);
}

void check_round_trip(const Run::Complete& message) {
  fuzz::Memory memory;
  // The block is shared with the run, which is done with it.
  auto& head = const_cast<http::RequestHead&>(message.head);
  const auto path = http::normalise_path(head.path, memory.arena());
  if (!path) {
    return;
  }
  head.path = *path;
  http::remove_hop_by_hop(head.headers, head.upgrade);
  const RequestFraming framing{.framing = head.framing,
                               .content_length = head.content_length,
                               .close = !head.keep_alive,
                               .upgrade = head.upgrade,
                               .target = {},
                               .host = head.authority.empty() ? "upstream.example" : ""};
  std::string wire(serialise_request_head(head, framing, memory.arena()).view());
  wire += fuzz::encode_body(head.framing, message.body, message.trailers, memory.arena());
  const std::string fields = end_to_end(head.headers);
  fuzz::check_one_message<Request>(wire, {}, [&](const Run::Complete& again) {
    HANGU_ASSERT(again.head.method_text == head.method_text);
    HANGU_ASSERT(again.head.path == head.path);
    HANGU_ASSERT(again.head.has_query == head.has_query && again.head.query == head.query);
    HANGU_ASSERT(head.authority.empty() || again.head.authority == head.authority);
    HANGU_ASSERT(again.head.framing == head.framing);
    HANGU_ASSERT(again.head.content_length == head.content_length);
    HANGU_ASSERT(again.head.upgrade == head.upgrade);
    HANGU_ASSERT(again.head.keep_alive == (head.keep_alive || head.upgrade));
    HANGU_ASSERT(again.body == message.body);
    HANGU_ASSERT((again.trailers != nullptr) == (message.trailers != nullptr));
    HANGU_ASSERT(again.trailers == nullptr ||
                 fuzz::describe(*again.trailers) == fuzz::describe(*message.trailers));
    HANGU_ASSERT(end_to_end(const_cast<http::HeaderBlock&>(again.head.headers)) == fields);
  });
}

}  // namespace

void check_one(std::string_view input) {
  fuzz::check_all_cuts<Request>(input, {}, [](const Run::Complete& message) {
    check_head(message.head);
    check_round_trip(message);
  });
}

}  // namespace hangu::codec::http1

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  hangu::codec::http1::check_one(std::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
