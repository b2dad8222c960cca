// Fuzz target: any bytes from an upstream, in answer to GET and to HEAD. However they are cut, the
// same responses come out; and a response that passes, written as the gateway writes it to a
// client, is read there as the same one response.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "hangu/base/assert.h"
#include "hangu/codec/http1/response_parser.h"
#include "hangu/codec/http1/serialiser.h"
#include "hangu/http/hop_by_hop.h"
#include "hangu/http/text.h"

#include "tests/fuzz/http1_run.h"

namespace hangu::codec::http1 {

namespace {

struct Response {
  using Head = http::ResponseHead;

  struct Context {
    http::Method method;
  };

  static constexpr HeadScanner::Kind kKind = HeadScanner::Kind::kResponse;
  static constexpr Side kSide = Side::kUpstream;

  static Result<void> parse(std::string_view head, const Context& context, Head& out) {
    return parse_response_head(head, context.method, Limits{}, out);
  }

  static bool interim(const Head& head) { return head.status < 200 && head.status != 101; }

  static bool last(const Head& head) {
    return !interim(head) && (!head.keep_alive || head.upgrade);
  }

  static std::string describe(const Head& head) {
    std::string text = std::to_string(head.status);
    text.append(" ").append(head.reason);
    for (const uint64_t number : {head.content_length, static_cast<uint64_t>(head.framing),
                                  static_cast<uint64_t>(head.version)}) {
      text.append(" ").append(std::to_string(number));
    }
    return text.append(head.keep_alive ? " keep-alive" : "")
        .append(head.upgrade ? " upgrade\n" : "\n");
  }
};

using Run = fuzz::Http1Run<Response>;

/// What the parser promises of every response that it lets pass.
void check_head(const http::ResponseHead& head, http::Method method) {
  HANGU_ASSERT(head.status >= 100 && head.status < 600);
  HANGU_ASSERT(http::is_field_value(head.reason));
  HANGU_ASSERT(head.upgrade == (head.status == 101));
  HANGU_ASSERT(!head.keep_alive || head.framing != http::BodyFraming::kUntilClose);
  if (method == http::Method::kHead || head.status < 200 || head.status == 204 ||
      head.status == 304) {
    HANGU_ASSERT(head.framing == http::BodyFraming::kNone);
  } else {
    HANGU_ASSERT(head.framing != http::BodyFraming::kNone);
  }
  for (const http::Header& header : head.headers) {
    HANGU_ASSERT(http::is_token(header.name()) && http::is_field_value(header.value()));
    HANGU_ASSERT(http::trim_ows(header.value()) == header.value());
    HANGU_ASSERT(http::header_name_from(header.name()) == header.token);
  }
}

/// The fields but for those that the codec itself writes.
std::string end_to_end(http::HeaderBlock& headers) {
  headers.remove(http::HeaderName::kTransferEncoding);
  headers.remove(http::HeaderName::kContentLength);
  headers.remove(http::HeaderName::kConnection);
  return fuzz::describe(headers);
}

/// What ends with the upstream's connection must not end with the client's: it is chunked.
http::BodyFraming framing_to_client(http::BodyFraming framing) {
  return framing == http::BodyFraming::kUntilClose ? http::BodyFraming::kChunked : framing;
}

void check_round_trip(const Run::Complete& message, http::Method method) {
  fuzz::Memory memory;
  // The block is shared with the run, which is done with it.
  auto& head = const_cast<http::ResponseHead&>(message.head);
  http::remove_hop_by_hop(head.headers, head.upgrade);
  const ResponseFraming framing{.framing = framing_to_client(head.framing),
                                .content_length = head.content_length,
                                .upgrade = head.upgrade};
  std::string wire(serialise_response_head(head, framing, memory.arena()).view());
  wire += fuzz::encode_body(framing.framing, message.body, message.trailers, memory.arena());
  const std::string length(head.headers.value(http::HeaderName::kContentLength));
  const std::string fields = end_to_end(head.headers);
  fuzz::check_one_message<Response>(wire, {method}, [&](const Run::Complete& again) {
    HANGU_ASSERT(again.head.status == head.status && again.head.reason == head.reason);
    HANGU_ASSERT(again.head.framing == framing.framing);
    HANGU_ASSERT(again.head.content_length == head.content_length);
    HANGU_ASSERT(again.head.upgrade == head.upgrade);
    HANGU_ASSERT(again.head.keep_alive || head.upgrade);
    if (head.framing == http::BodyFraming::kNone && head.status != 204) {
      HANGU_ASSERT(again.head.headers.value(http::HeaderName::kContentLength) == length);
    }
    HANGU_ASSERT(again.body == message.body);
    HANGU_ASSERT((again.trailers != nullptr) == (message.trailers != nullptr));
    HANGU_ASSERT(again.trailers == nullptr ||
                 fuzz::describe(*again.trailers) == fuzz::describe(*message.trailers));
    HANGU_ASSERT(end_to_end(const_cast<http::HeaderBlock&>(again.head.headers)) == fields);
  });
}

}  // namespace

void check_one(std::string_view input) {
  for (const http::Method method : {http::Method::kGet, http::Method::kHead}) {
    fuzz::check_all_cuts<Response>(input, {method}, [method](const Run::Complete& message) {
      check_head(message.head, method);
      check_round_trip(message, method);
    });
  }
}

}  // namespace hangu::codec::http1

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  hangu::codec::http1::check_one(std::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
