// Fuzz target: any bytes from an HTTP/2 peer, to a multiplexer of either role whose handler
// answers, holds back, resets and ends as the input tells it. Whole and in pieces: what it is told
// of a stream is in order, nothing comes for one that is closed, heads are what HTTP/1.1 could
// carry. (The two need not be told the same: what is sent between two pieces may end a stream
// before a reset comes.)
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "hangu/base/assert.h"
#include "hangu/codec/http2/frame_writer.h"
#include "hangu/codec/http2/head_encoder.h"
#include "hangu/codec/http2/multiplexer.h"
#include "hangu/http/text.h"

#include "tests/fuzz/support.h"

namespace hangu::codec::http2 {
namespace {

using Role = FrameReader::Role;

class FuzzStream final : public StreamSlot {
 public:
  FuzzStream(buffer::BlockPool& small, uint32_t number)
      : StreamSlot(small),
        plan(number) {}

  fuzz::Memory memory;
  http::RequestHead request;
  http::ResponseHead response;
  http::HeaderBlock trailers;
  uint32_t plan;  // what to do with it
  size_t held = 0;
  bool closed = false;
  bool ended = false;
  bool head_seen = false;
};

class Peer final : public MultiplexerHandler {
 public:
  Peer(Role role, uint32_t plan)
      : role_(role),
        plan_(plan),
        multiplexer_({.role = role, .concurrent_streams = 8, .budget = {.burst = 60}}, *this) {
    multiplexer_.begin();
    if (role == Role::kClient) {
      for (uint32_t i = 0; i < 3; ++i) {
        send_request();
      }
    }
  }

  /// False once the connection is over.
  bool receive(std::string_view bytes) {
    const fuzz::Piece piece(bytes);
    buffer::BlockRef block = buffer::BlockRef::on_heap(std::max<size_t>(bytes.size(), 1));
    std::copy(bytes.begin(), bytes.end(), block->data());
    const char* const data = block->data();
    const auto received = multiplexer_.receive(
        buffer::Slice{std::move(block), data, static_cast<uint32_t>(bytes.size())}, now_);
    return received.has_value();
  }

  // MultiplexerHandler
  void write(buffer::Slice&& bytes) noexcept override { written_ += bytes.size; }

  void write_copy(std::string_view bytes) noexcept override { written_ += bytes.size(); }

  bool output_congested() const noexcept override { return false; }

  StreamSlot* on_open(uint32_t id) noexcept override {
    HANGU_ASSERT(role_ == Role::kServer && (id & 1) == 1);
    FuzzStream& stream = make_stream();
    return &stream;
  }

  void on_section(StreamSlot& slot, bool trailers, FieldSection& section) noexcept override {
    FuzzStream& stream = live(slot);
    buffer::Arena& arena = stream.memory.arena();
    if (trailers) {
      stream.trailers.reset(arena);
      section.begin(FieldSection::Kind::kTrailers, stream.trailers, arena, {});
    } else if (role_ == Role::kServer) {
      stream.request.reset(arena);
      section.begin(FieldSection::Kind::kRequest, stream.request.headers, arena, {});
    } else {
      stream.response.reset(arena);
      section.begin(FieldSection::Kind::kResponse, stream.response.headers, arena, {});
    }
  }

  bool on_head(StreamSlot& slot, FieldSection& section, bool end) noexcept override {
    FuzzStream& stream = live(slot);
    HANGU_ASSERT(!stream.head_seen);
    if (role_ == Role::kClient) {
      const auto parsed = section.finish_response(stream.response, http::Method::kGet, end);
      if (!parsed) {
        multiplexer_.reset(slot, ErrorCode::kProtocolError);
        return true;
      }
      check_fields(stream.response.headers);
      stream.head_seen = stream.response.status >= 200;
      return stream.head_seen;
    }
    stream.head_seen = true;
    const auto parsed = section.finish_request(stream.request, end);
    if (parsed) {
      check_fields(stream.request.headers);
      check_request(stream.request);
      if (stream.request.framing == http::BodyFraming::kLength) {
        multiplexer_.expect_body(slot, stream.request.content_length);
      }
    }
    answer(stream, parsed.has_value());
    return true;
  }

  void on_trailers(StreamSlot& slot, FieldSection& section) noexcept override {
    FuzzStream& stream = live(slot);
    HANGU_ASSERT(stream.head_seen && !stream.ended);
    stream.ended = true;
    static_cast<void>(section.finish_trailers());
  }

  void on_data(StreamSlot& slot, buffer::Slice&& data, bool end) noexcept override {
    FuzzStream& stream = live(slot);
    HANGU_ASSERT(stream.head_seen && !stream.ended);
    stream.ended = end;
    bytes_ += data.size;
    if (stream.plan % 3 == 0) {
      stream.held += data.size;
    } else {
      multiplexer_.consume(slot, data.size);
    }
  }

  void on_writable(StreamSlot& slot) noexcept override { live(slot); }

  void on_sent(StreamSlot& slot) noexcept override {
    if (live(slot).plan % 2 == 0) {
      multiplexer_.reset(slot, ErrorCode::kNoError);
    }
  }

  void on_reset(StreamSlot& slot, ErrorCode, bool) noexcept override { live(slot); }

  void on_closed(StreamSlot& slot) noexcept override { live(slot).closed = true; }

  void on_goaway(uint32_t last, ErrorCode) noexcept override {
    multiplexer_.for_each_stream([&](StreamSlot& slot) {
      if (slot.id() > last) {
        multiplexer_.reset(slot, ErrorCode::kCancel);
      }
    });
  }

  void on_ping_ack(std::string_view opaque) noexcept override { HANGU_ASSERT(opaque.size() == 8); }

  void on_settings(bool) noexcept override {}

 private:
  static FuzzStream& live(StreamSlot& slot) {
    auto& stream = static_cast<FuzzStream&>(slot);
    HANGU_ASSERT(!stream.closed);
    return stream;
  }

  FuzzStream& make_stream() {
    static buffer::BlockPool small{{.block_bytes = 2048, .blocks_max = 4096}};
    streams_.push_back(
        std::make_unique<FuzzStream>(small, plan_ + static_cast<uint32_t>(streams_.size())));
    return *streams_.back();
  }

  static void check_fields(const http::HeaderBlock& headers) {
    for (const http::Header& header : headers) {
      HANGU_ASSERT(http::is_token(header.name()) && http::is_field_value(header.value()));
      HANGU_ASSERT(http::trim_ows(header.value()) == header.value());
    }
  }

  static void check_request(const http::RequestHead& head) {
    HANGU_ASSERT(http::is_token(head.method_text) && !head.authority.empty());
    HANGU_ASSERT(head.target.starts_with('/') || head.target == "*");
    HANGU_ASSERT(head.target.find_first_of(" \r\n\t#") == std::string_view::npos);
    HANGU_ASSERT(!head.headers.contains(http::HeaderName::kTransferEncoding));
    HANGU_ASSERT(!head.headers.contains(http::HeaderName::kConnection));
  }

  void send_request() {
    if (!multiplexer_.can_open()) {
      return;
    }
    FuzzStream& stream = make_stream();
    buffer::Arena& arena = stream.memory.arena();
    stream.request.reset(arena);
    stream.request.method_text = "GET";
    stream.request.path = "/";
    stream.request.authority = "a.example";
    multiplexer_.open(stream);
    multiplexer_.send_head(
        stream,
        encode_request_head(multiplexer_.encoder(), stream.request, {.scheme = "http"}, arena),
        stream.plan % 2 == 0);
  }

  void answer(FuzzStream& stream, bool good) {
    if (stream.plan % 5 == 0) {
      multiplexer_.reset(stream, ErrorCode::kCancel);
      return;
    }
    buffer::Arena& arena = stream.memory.arena();
    stream.response.reset(arena);
    stream.response.status = good ? 200 : 400;
    stream.response.framing = http::BodyFraming::kChunked;
    const bool bodiless = stream.plan % 4 == 0;
    multiplexer_.send_head(stream,
                           encode_response_head(multiplexer_.encoder(), stream.response,
                                                stream.response.status, arena),
                           bodiless);
    static constexpr char kBody[100'000] = {};
    if (!bodiless && !stream.closed) {
      multiplexer_.send_data(stream, buffer::Slice{{}, kBody, sizeof kBody}, stream.plan % 7 != 0);
    }
  }

  Role role_;
  uint32_t plan_;
  TimePoint now_ = TimePoint{} + std::chrono::hours(1);
  std::vector<std::unique_ptr<FuzzStream>> streams_;
  Multiplexer multiplexer_;
  uint64_t written_ = 0;
  uint64_t bytes_ = 0;
};

void run(Role role, uint32_t plan, std::string_view input, size_t piece_bytes) {
  Peer peer(role, plan);
  if (role == Role::kServer) {
    peer.receive(kClientPreface);
  }
  while (!input.empty()) {
    const size_t bytes = std::min(piece_bytes, input.size());
    if (!peer.receive(input.substr(0, bytes))) {
      break;
    }
    input.remove_prefix(bytes);
  }
}

}  // namespace
}  // namespace hangu::codec::http2

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace http2 = hangu::codec::http2;
  if (size < 2) {
    return 0;
  }
  using Role = http2::FrameReader::Role;
  const Role role = (data[0] & 1) != 0 ? Role::kServer : Role::kClient;
  const uint32_t plan = data[0] >> 1;
  const size_t piece = 1 + data[1] % 64;
  const std::string_view input(reinterpret_cast<const char*>(data) + 2, size - 2);
  http2::run(role, plan, input, std::max<size_t>(input.size(), 1));
  http2::run(role, plan, input, piece);
  return 0;
}
