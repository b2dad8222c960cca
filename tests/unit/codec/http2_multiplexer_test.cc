// RFC 9113 as a multiplexer keeps it, by section: streams' states, flow control, settings, what is
// malformed. Each case runs whole and byte by byte.
#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "hangu/codec/http2/frame_writer.h"
#include "hangu/codec/http2/head_encoder.h"
#include "hangu/codec/http2/multiplexer.h"

namespace hangu::codec::http2 {
namespace {

using Role = FrameReader::Role;
using Fields = std::vector<std::pair<std::string_view, std::string_view>>;

// --- frames -----------------------------------------------------------------------------------

std::string number(uint32_t value) {
  std::string out;
  for (const unsigned shift : {24U, 16U, 8U, 0U}) {
    out.push_back(static_cast<char>(value >> shift));
  }
  return out;
}

std::string frame(FrameType type, uint8_t flags, uint32_t stream, std::string_view payload = "") {
  std::string out(kFrameHeaderBytes, '\0');
  write_frame_header(out.data(), {.length = static_cast<uint32_t>(payload.size()),
                                  .type = type,
                                  .flags = flags,
                                  .stream_id = stream});
  return out.append(payload);
}

/// Fields that leave no trace in the table: every case can use them anew.
std::string block_of(const Fields& fields) {
  HpackEncoder encoder;
  std::string out;
  for (const auto& [name, value] : fields) {
    std::string field(HpackEncoder::bytes_max(name, value), '\0');
    field.resize(encoder.encode(field.data(), name, value, HpackEncoder::Indexing::kNever));
    out += field;
  }
  return out;
}

const Fields kGet = {
    {":method", "GET"}, {":scheme", "https"}, {":path", "/"}, {":authority", "a.example"}};
constexpr uint8_t kEnd = kFlagEndStream | kFlagEndHeaders;

std::string headers(uint32_t stream, uint8_t flags = kEnd, const Fields& fields = kGet) {
  return frame(FrameType::kHeaders, flags, stream, block_of(fields));
}

std::string with(Fields fields, const Fields& more) {
  fields.insert(fields.end(), more.begin(), more.end());
  return headers(1, kEnd, fields);
}

/// A request with a body to come.
std::string post(uint32_t stream, const Fields& more = {}) {
  Fields fields = kGet;
  fields[0].second = "POST";
  fields.insert(fields.end(), more.begin(), more.end());
  return headers(stream, kFlagEndHeaders, fields);
}

std::string data(uint32_t stream, size_t bytes, uint8_t flags = 0) {
  std::string out;
  do {
    const size_t part = std::min<size_t>(bytes, kFrameSizeDefault);
    bytes -= part;
    out += frame(FrameType::kData, bytes == 0 ? flags : uint8_t{0}, stream, std::string(part, 'x'));
  } while (bytes != 0);
  return out;
}

std::string rst(uint32_t stream) {
  return frame(FrameType::kRstStream, 0, stream, number(8));
}

std::string window_update(uint32_t stream, uint32_t increment) {
  return frame(FrameType::kWindowUpdate, 0, stream, number(increment));
}

std::string setting(uint16_t id, uint32_t value) {
  std::string payload = {static_cast<char>(id >> 8U), static_cast<char>(id)};
  return frame(FrameType::kSettings, 0, 0, payload + number(value));
}

// --- a connection -----------------------------------------------------------------------------

class Slot final : public StreamSlot {
 public:
  Slot(buffer::BlockPool& small, buffer::BlockPool& large)
      : StreamSlot(small),
        arena(small, large) {}

  buffer::Arena arena;
  http::RequestHead request;
  http::ResponseHead response;
  http::HeaderBlock trailers;
};

class Connection final : public MultiplexerHandler {
 public:
  explicit Connection(Role role)
      : role_(role),
        multiplexer({.role = role,
                     .concurrent_streams = 3,
                     .stream_window = kWindowDefault,
                     .connection_window = 4 * kWindowDefault},
                    *this) {
    multiplexer.begin();
    written.clear();
  }

  /// What came of it: "ok", "stream 1: X" for each reset that was sent, "connection: X".
  std::string receive(std::string_view input, size_t piece_bytes) {
    while (!input.empty()) {
      const auto size = static_cast<uint32_t>(std::min(piece_bytes, input.size()));
      buffer::BlockRef block = buffer::BlockRef::on_heap(size);
      std::copy_n(input.data(), size, block->data());
      const char* const begin = block->data();
      const auto result = multiplexer.receive(buffer::Slice{std::move(block), begin, size}, now);
      if (!result) {
        return "connection: " + std::string(to_string(result.error().code));
      }
      input.remove_prefix(size);
    }
    return resets().empty() ? "ok" : resets();
  }

  std::string resets() const {
    std::string out;
    for (size_t at = 0; at + kFrameHeaderBytes <= written.size();) {
      const auto byte = [&](size_t i) { return static_cast<uint8_t>(written[at + i]); };
      const size_t length = byte(0) << 16U | byte(1) << 8U | byte(2);
      if (byte(3) == static_cast<uint8_t>(FrameType::kRstStream)) {
        out += (out.empty() ? "stream " : ", stream ") + std::to_string(byte(8)) + ": " +
               to_string(static_cast<ErrorCode>(byte(12)));
      }
      at += kFrameHeaderBytes + length;
    }
    return out;
  }

  void open_request(std::string_view method = "GET") {
    Slot& slot = make_slot();
    slot.request.method_text = method;
    slot.request.path = "/";
    slot.request.authority = "a.example";
    multiplexer.open(slot);
    multiplexer.send_head(
        slot,
        encode_request_head(multiplexer.encoder(), slot.request, {.scheme = "https"}, slot.arena),
        true);
  }

  void answer(Slot& slot, size_t body_bytes) {
    slot.response.status = 200;
    slot.response.framing = http::BodyFraming::kChunked;
    multiplexer.send_head(
        slot, encode_response_head(multiplexer.encoder(), slot.response, 200, slot.arena),
        body_bytes == 0);
    if (body_bytes != 0) {
      static const std::string kBody(1'000'000, 'b');
      multiplexer.send_data(
          slot, buffer::Slice{{}, kBody.data(), static_cast<uint32_t>(body_bytes)}, true);
    }
  }

  // MultiplexerHandler
  void write(buffer::Slice&& bytes) noexcept override { written += bytes.view(); }

  void write_copy(std::string_view bytes) noexcept override { written += bytes; }

  bool output_congested() const noexcept override { return false; }

  StreamSlot* on_open(uint32_t) noexcept override { return &make_slot(); }

  void on_section(StreamSlot& slot, bool trailers, FieldSection& section) noexcept override {
    auto& mine = static_cast<Slot&>(slot);
    using Kind = FieldSection::Kind;
    http::HeaderBlock& fields = trailers                 ? mine.trailers
                                : role_ == Role::kServer ? mine.request.headers
                                                         : mine.response.headers;
    fields.reset(mine.arena);
    section.begin(trailers                 ? Kind::kTrailers
                  : role_ == Role::kServer ? Kind::kRequest
                                           : Kind::kResponse,
                  fields, mine.arena, {});
  }

  bool on_head(StreamSlot& slot, FieldSection& section, bool end) noexcept override {
    auto& mine = static_cast<Slot&>(slot);
    if (role_ == Role::kClient) {
      if (!section.finish_response(mine.response, http::Method::kGet, end)) {
        multiplexer.reset(slot, ErrorCode::kProtocolError);
        return true;
      }
      return mine.response.status >= 200;
    }
    if (!section.finish_request(mine.request, end)) {
      multiplexer.reset(slot, ErrorCode::kProtocolError);
      return true;
    }
    ++heads;
    if (mine.request.framing == http::BodyFraming::kLength) {
      multiplexer.expect_body(slot, mine.request.content_length);
    }
    if (answer_bytes != SIZE_MAX) {
      answer(mine, answer_bytes);
    }
    return true;
  }

  void on_trailers(StreamSlot& slot, FieldSection& section) noexcept override {
    if (!section.finish_trailers()) {
      multiplexer.reset(slot, ErrorCode::kProtocolError);
    }
  }

  void on_data(StreamSlot& slot, buffer::Slice&& piece, bool) noexcept override {
    received += piece.size;
    if (consume) {
      multiplexer.consume(slot, piece.size);
    }
  }

  void on_writable(StreamSlot&) noexcept override {}

  void on_sent(StreamSlot&) noexcept override {}

  void on_reset(StreamSlot&, ErrorCode, bool) noexcept override {}

  void on_closed(StreamSlot&) noexcept override { ++closed; }

  void on_goaway(uint32_t last, ErrorCode) noexcept override { goaway = last; }

  void on_ping_ack(std::string_view) noexcept override {}

  void on_settings(bool) noexcept override {}

  Slot& make_slot() {
    slots_.push_back(std::make_unique<Slot>(small_, large_));
    return *slots_.back();
  }

 private:
  buffer::BlockPool small_{{.block_bytes = 2048, .blocks_max = 256}};
  buffer::BlockPool large_{{.block_bytes = 65536, .blocks_max = 64}};
  std::vector<std::unique_ptr<Slot>> slots_;
  Role role_;

 public:
  std::string written;
  TimePoint now = TimePoint{} + std::chrono::hours(1);
  size_t answer_bytes = SIZE_MAX;  // SIZE_MAX: none
  bool consume = true;
  size_t heads = 0;
  size_t received = 0;
  size_t closed = 0;
  uint32_t goaway = UINT32_MAX;
  Multiplexer multiplexer;
};

struct Case {
  const char* rule;
  std::string input;
  const char* expected;
};

const std::string kPreface = std::string(kClientPreface) + frame(FrameType::kSettings, 0, 0);

void expect_as_server(const std::vector<Case>& cases, size_t answer_bytes = SIZE_MAX) {
  for (const Case& each : cases) {
    for (const size_t piece_bytes : {SIZE_MAX, size_t{1}}) {
      Connection connection(Role::kServer);
      connection.answer_bytes = answer_bytes;
      EXPECT_EQ(connection.receive(kPreface + each.input, piece_bytes), each.expected)
          << each.rule << (piece_bytes == 1 ? " (split)" : "");
    }
  }
}

/// With one request sent on stream 1.
void expect_as_client(const std::vector<Case>& cases) {
  for (const Case& each : cases) {
    for (const size_t piece_bytes : {SIZE_MAX, size_t{1}}) {
      Connection connection(Role::kClient);
      connection.open_request();
      connection.written.clear();
      EXPECT_EQ(connection.receive(frame(FrameType::kSettings, 0, 0) + each.input, piece_bytes),
                each.expected)
          << each.rule << (piece_bytes == 1 ? " (split)" : "");
    }
  }
}

// --- §3, §4 -----------------------------------------------------------------------------------

TEST(MultiplexerRules, S3_4_Preface) {
  for (const size_t piece_bytes : {SIZE_MAX, size_t{1}}) {
    EXPECT_EQ(Connection(Role::kServer).receive("GET / HTTP/1.1\r\nhost: a\r\n\r\n", piece_bytes),
              "connection: PROTOCOL_ERROR");
    EXPECT_EQ(
        Connection(Role::kServer).receive(std::string(kClientPreface) + headers(1), piece_bytes),
        "connection: PROTOCOL_ERROR");  // SETTINGS come first
    EXPECT_EQ(Connection(Role::kClient).receive(window_update(0, 1), piece_bytes),
              "connection: PROTOCOL_ERROR");
  }
}

TEST(MultiplexerRules, S4_3_FieldBlocks) {
  expect_as_server(
      {{"a block that HPACK cannot read", frame(FrameType::kHeaders, kEnd, 1, "\xff\xff\xff\xff"),
        "connection: COMPRESSION_ERROR"},
       {"a block that ends in a field", frame(FrameType::kHeaders, kEnd, 1, "\x40\x05"),
        "connection: COMPRESSION_ERROR"},
       {"also of a stream that is refused",
        headers(1) + headers(3) + headers(5) +
            frame(FrameType::kHeaders, kEnd, 7, "\xff\xff\xff\xff"),
        "connection: COMPRESSION_ERROR"},
       {"another frame between HEADERS and CONTINUATION",
        frame(FrameType::kHeaders, kFlagEndStream, 1, block_of(kGet)) + window_update(0, 1),
        "connection: PROTOCOL_ERROR"},
       {"cut anywhere",
        frame(FrameType::kHeaders, kFlagEndStream, 1, block_of(kGet).substr(0, 7)) +
            frame(FrameType::kContinuation, kFlagEndHeaders, 1, block_of(kGet).substr(7)),
        "ok"}});
}

// --- §5 ---------------------------------------------------------------------------------------

TEST(MultiplexerRules, S5_1_Idle) {
  expect_as_server({{"DATA", data(1, 1), "connection: PROTOCOL_ERROR"},
                    {"RST_STREAM", rst(1), "connection: PROTOCOL_ERROR"},
                    {"WINDOW_UPDATE", window_update(1, 1), "connection: PROTOCOL_ERROR"},
                    {"PRIORITY", frame(FrameType::kPriority, 0, 1, std::string(5, '\0')), "ok"}});
}

TEST(MultiplexerRules, S5_1_HalfClosedRemote) {
  expect_as_server({{"DATA", headers(1) + data(1, 1), "stream 1: STREAM_CLOSED"},
                    {"HEADERS", headers(1) + headers(1), "stream 1: STREAM_CLOSED"},
                    {"WINDOW_UPDATE", headers(1) + window_update(1, 1), "ok"},
                    {"RST_STREAM", headers(1) + rst(1), "ok"}});
}

TEST(MultiplexerRules, S5_1_Closed) {
  expect_as_server({{"HEADERS behind the peer's own reset", post(1) + rst(1) + headers(1),
                     "connection: STREAM_CLOSED"},
                    {"DATA behind the peer's own reset", post(1) + rst(1) + data(1, 1),
                     "stream 1: STREAM_CLOSED"},
                    {"WINDOW_UPDATE", headers(1) + rst(1) + window_update(1, 1), "ok"}});
  expect_as_server({{"HEADERS on a stream that both have ended", headers(1) + headers(1),
                     "connection: STREAM_CLOSED"},
                    {"DATA on a stream that both have ended", headers(1) + data(1, 1),
                     "stream 1: STREAM_CLOSED"},
                    {"WINDOW_UPDATE on it", headers(1) + window_update(1, 1), "ok"},
                    {"RST_STREAM on it", headers(1) + rst(1), "ok"}},
                   0);
}

TEST(MultiplexerRules, S5_1_1_Identifiers) {
  expect_as_server({{"even", headers(2), "connection: PROTOCOL_ERROR"},
                    {"zero", headers(0), "connection: PROTOCOL_ERROR"},
                    {"lower than one before", headers(5) + headers(3), "connection: STREAM_CLOSED"},
                    {"with gaps", headers(1) + headers(9), "ok"}});
  expect_as_client({{"a server opens none", headers(2), "connection: PROTOCOL_ERROR"},
                    {"nor one of ours", headers(3), "connection: PROTOCOL_ERROR"}});
}

TEST(MultiplexerRules, S5_1_2_ConcurrentStreams) {
  expect_as_server(
      {{"one too many", headers(1) + headers(3) + headers(5) + headers(7),
        "stream 7: REFUSED_STREAM"},
       {"as many as closed", headers(1) + headers(3) + headers(5) + rst(3) + headers(7), "ok"}});
}

TEST(MultiplexerRules, S5_2_FlowControl) {
  const size_t window = kWindowDefault;
  for (const size_t piece_bytes : {SIZE_MAX, size_t{1000}}) {
    Connection held(Role::kServer);
    held.consume = false;
    EXPECT_EQ(held.receive(kPreface + post(1) + data(1, window), piece_bytes), "ok");
    EXPECT_EQ(held.received, window);
    EXPECT_EQ(held.receive(data(1, 1), piece_bytes), "stream 1: FLOW_CONTROL_ERROR");

    Connection taken(Role::kServer);
    EXPECT_EQ(taken.receive(kPreface + post(1) + data(1, 10 * window), piece_bytes), "ok");
    EXPECT_EQ(taken.received, 10 * window);
  }
}

TEST(MultiplexerRules, S5_2_TheConnectionsWindow) {
  Connection connection(Role::kServer);
  connection.consume = false;
  std::string input = kPreface + post(1) + post(3) + post(5);
  for (const uint32_t stream : {1U, 3U, 5U}) {
    input += data(stream, kWindowDefault);
  }
  EXPECT_EQ(connection.receive(input, SIZE_MAX), "ok");
  EXPECT_EQ(connection.receive(rst(1) + post(7) + data(7, kWindowDefault) + rst(3) + post(9) +
                                   data(9, kWindowDefault),
                               SIZE_MAX),
            "ok");  // a reset gives back what was held
}

// --- §6 ---------------------------------------------------------------------------------------

TEST(MultiplexerRules, S6_1_Data) {
  const std::string padded =
      frame(FrameType::kData, kFlagPadded | kFlagEndStream, 1, std::string("\x04xx\0\0\0\0", 7));
  expect_as_server(
      {{"on stream 0", data(0, 1), "connection: PROTOCOL_ERROR"},
       {"padded", post(1) + padded, "ok"},
       {"more padding than frame", post(1) + frame(FrameType::kData, kFlagPadded, 1, "\x05xx"),
        "connection: PROTOCOL_ERROR"},
       {"empty, at the end", post(1) + data(1, 0, kFlagEndStream), "ok"}});
}

TEST(MultiplexerRules, S6_5_Settings) {
  expect_as_server(
      {{"ENABLE_PUSH above 1", setting(2, 2), "connection: PROTOCOL_ERROR"},
       {"INITIAL_WINDOW_SIZE above 2^31-1", setting(4, 0x80000000),
        "connection: FLOW_CONTROL_ERROR"},
       {"MAX_FRAME_SIZE below 16384", setting(5, 16383), "connection: PROTOCOL_ERROR"},
       {"MAX_FRAME_SIZE above 2^24-1", setting(5, 1 << 24), "connection: PROTOCOL_ERROR"},
       {"ENABLE_CONNECT_PROTOCOL above 1", setting(8, 2), "connection: PROTOCOL_ERROR"},
       {"unknown", setting(0xfff0, 7), "ok"},
       {"an acknowledgement with a payload", frame(FrameType::kSettings, kFlagAck, 0, "123456"),
        "connection: FRAME_SIZE_ERROR"},
       {"on a stream", frame(FrameType::kSettings, 0, 1), "connection: PROTOCOL_ERROR"},
       {"of five bytes", frame(FrameType::kSettings, 0, 0, "12345"),
        "connection: FRAME_SIZE_ERROR"}});
  expect_as_client({{"ENABLE_PUSH by a server", setting(2, 1), "connection: PROTOCOL_ERROR"}});
}

TEST(MultiplexerRules, S6_6_PushIsOff) {
  expect_as_server({{"by a client", headers(1) + frame(FrameType::kPushPromise, 4, 1, number(2)),
                     "connection: PROTOCOL_ERROR"}});
  expect_as_client(
      {{"unasked", frame(FrameType::kPushPromise, 4, 1, number(2)), "connection: PROTOCOL_ERROR"}});
}

TEST(MultiplexerRules, S6_7_PingIsAnswered) {
  Connection connection(Role::kServer);
  ASSERT_EQ(connection.receive(kPreface, SIZE_MAX), "ok");
  connection.written.clear();
  ASSERT_EQ(connection.receive(frame(FrameType::kPing, 0, 0, "12345678"), 1), "ok");
  EXPECT_EQ(connection.written, frame(FrameType::kPing, kFlagAck, 0, "12345678"));
  EXPECT_EQ(connection.receive(frame(FrameType::kPing, kFlagAck, 0, "12345678"), 1), "ok");
}

TEST(MultiplexerRules, S6_8_Goaway) {
  Connection client(Role::kClient);
  client.open_request();
  EXPECT_EQ(client.receive(frame(FrameType::kSettings, 0, 0) +
                               frame(FrameType::kGoaway, 0, 0, number(1) + number(0)),
                           1),
            "ok");
  EXPECT_EQ(client.goaway, 1U);
  EXPECT_FALSE(client.multiplexer.can_open());
}

TEST(MultiplexerRules, S6_9_WindowUpdates) {
  expect_as_server(
      {{"of 0 for the connection", window_update(0, 0), "connection: PROTOCOL_ERROR"},
       {"of 0 for a stream", post(1) + window_update(1, 0), "stream 1: PROTOCOL_ERROR"},
       {"beyond 2^31-1, connection", window_update(0, 0x7fffffff),
        "connection: FLOW_CONTROL_ERROR"},
       {"beyond 2^31-1, stream", post(1) + window_update(1, 0x7fffffff),
        "stream 1: FLOW_CONTROL_ERROR"},
       {"up to 2^31-1", post(1) + window_update(1, 0x7fffffff - 65535), "ok"}});
}

/// Bytes of DATA frames in what was written.
size_t data_bytes(std::string_view written) {
  size_t bytes = 0;
  while (written.size() >= kFrameHeaderBytes) {
    const auto byte = [&](size_t i) { return static_cast<uint8_t>(written[i]); };
    const size_t length = byte(0) << 16U | byte(1) << 8U | byte(2);
    bytes += byte(3) == 0 ? length : 0;
    written.remove_prefix(kFrameHeaderBytes + length);
  }
  return bytes;
}

TEST(MultiplexerRules, S6_9_2_InitialWindowChangesOpenStreams) {
  Connection connection(Role::kServer);
  connection.answer_bytes = 100'000;
  ASSERT_EQ(connection.receive(
                kPreface + window_update(0, 1'000'000) + setting(4, 1000) + headers(1), SIZE_MAX),
            "ok");
  EXPECT_EQ(data_bytes(connection.written), 1000U);
  ASSERT_EQ(connection.receive(setting(4, 400), SIZE_MAX), "ok");  // to -600
  ASSERT_EQ(connection.receive(window_update(1, 600), SIZE_MAX), "ok");
  EXPECT_EQ(data_bytes(connection.written), 1000U);
  ASSERT_EQ(connection.receive(window_update(1, 50), SIZE_MAX), "ok");
  EXPECT_EQ(data_bytes(connection.written), 1050U);
  ASSERT_EQ(connection.receive(setting(4, 200'000), SIZE_MAX), "ok");
  EXPECT_EQ(data_bytes(connection.written), 100'000U);
  EXPECT_EQ(connection.closed, 1U);
}

TEST(MultiplexerRules, S6_9_TheConnectionsWindowHoldsAll) {
  Connection connection(Role::kServer);
  connection.answer_bytes = 50'000;
  ASSERT_EQ(connection.receive(kPreface + headers(1) + headers(3), SIZE_MAX), "ok");
  EXPECT_EQ(data_bytes(connection.written), kWindowDefault);
  ASSERT_EQ(connection.receive(window_update(0, 100'000), SIZE_MAX), "ok");
  EXPECT_EQ(data_bytes(connection.written), 100'000U);
  EXPECT_EQ(connection.closed, 2U);
}

// --- §8 ---------------------------------------------------------------------------------------

TEST(MultiplexerRules, S8_1_1_ContentLengthMustBeTrue) {
  expect_as_server(
      {{"less", post(1, {{"content-length", "5"}}) + data(1, 4, kFlagEndStream),
        "stream 1: PROTOCOL_ERROR"},
       {"more", post(1, {{"content-length", "5"}}) + data(1, 6), "stream 1: PROTOCOL_ERROR"},
       {"exact", post(1, {{"content-length", "5"}}) + data(1, 5, kFlagEndStream), "ok"},
       {"none of it", with(kGet, {{"content-length", "5"}}), "stream 1: PROTOCOL_ERROR"}});
}

TEST(MultiplexerRules, S8_1_Trailers) {
  expect_as_server({{"good", post(1) + data(1, 1) + headers(1, kEnd, {{"x-sum", "1"}}), "ok"},
                    {"without END_STREAM", post(1) + headers(1, kFlagEndHeaders, {{"x-sum", "1"}}),
                     "stream 1: PROTOCOL_ERROR"},
                    {"with a pseudo-header field", post(1) + headers(1, kEnd, {{":path", "/"}}),
                     "stream 1: PROTOCOL_ERROR"}});
}

TEST(MultiplexerRules, S8_2_1_FieldNamesAndValues) {
  for (const auto& [name, value] : Fields{{"X-Upper", "1"},
                                          {"with space", "1"},
                                          {"colon:", "1"},
                                          {"", "1"},
                                          {"x-lf", "a\nb"},
                                          {"x-cr", "a\rb"},
                                          {"x-nul", std::string_view("a\0b", 3)},
                                          {"x-front", " a"},
                                          {"x-back", "a\t"}}) {
    expect_as_server({{name.data(), with(kGet, {{name, value}}), "stream 1: PROTOCOL_ERROR"}});
  }
}

TEST(MultiplexerRules, S8_2_2_FieldsOfAConnection) {
  for (const char* name :
       {"connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"}) {
    expect_as_server({{name, with(kGet, {{name, "x"}}), "stream 1: PROTOCOL_ERROR"}});
  }
  expect_as_server({{"te", with(kGet, {{"te", "gzip"}}), "stream 1: PROTOCOL_ERROR"},
                    {"te: trailers", with(kGet, {{"te", "trailers"}}), "ok"}});
}

TEST(MultiplexerRules, S8_3_PseudoHeaderFields) {
  const auto request = [](const Fields& fields) { return headers(1, kEnd, fields); };
  const char* const refused = "stream 1: PROTOCOL_ERROR";
  expect_as_server(
      {{"no :method", request({{":scheme", "https"}, {":path", "/"}, {":authority", "a"}}),
        refused},
       {"no :scheme", request({{":method", "GET"}, {":path", "/"}, {":authority", "a"}}), refused},
       {"no :path", request({{":method", "GET"}, {":scheme", "https"}, {":authority", "a"}}),
        refused},
       {"an empty :path",
        request({{":method", "GET"}, {":scheme", "https"}, {":path", ""}, {":authority", "a"}}),
        refused},
       {"twice", with(kGet, {{":path", "/"}}), refused},
       {"unknown", with(kGet, {{":unknown", "x"}}), refused},
       {"of a response", with(kGet, {{":status", "200"}}), refused},
       {"behind a field",
        request({{":method", "GET"}, {":scheme", "https"}, {"a", "b"}, {":path", "/"}}), refused},
       {"Host instead of :authority",
        request({{":method", "GET"}, {":scheme", "https"}, {":path", "/"}, {"host", "a"}}), "ok"},
       {"Host that differs", with(kGet, {{"host", "b.example"}}), refused}});
}

TEST(MultiplexerRules, S8_3_2_Responses) {
  expect_as_client(
      {{"good", headers(1, kEnd, {{":status", "200"}}), "ok"},
       {"with interim ones",
        headers(1, kFlagEndHeaders, {{":status", "103"}, {"link", "</a>"}}) +
            headers(1, kEnd, {{":status", "200"}}),
        "ok"},
       {"no :status", headers(1, kEnd, {{"a", "b"}}), "stream 1: PROTOCOL_ERROR"},
       {":status of two digits", headers(1, kEnd, {{":status", "20"}}), "stream 1: PROTOCOL_ERROR"},
       {"of a request", headers(1, kEnd, kGet), "stream 1: PROTOCOL_ERROR"},
       {"interim at the end", headers(1, kEnd, {{":status", "100"}}), "stream 1: PROTOCOL_ERROR"},
       {"DATA before the head", data(1, 1), "stream 1: PROTOCOL_ERROR"}});
}

}  // namespace
}  // namespace hangu::codec::http2
