// What the codec costs a request: finding and parsing heads, writing them again.
//   build/release/bin/hangu_codec_bench
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>

#include "hangu/codec/http1/head_reader.h"
#include "hangu/codec/http1/request_parser.h"
#include "hangu/codec/http1/response_parser.h"
#include "hangu/codec/http1/serialiser.h"
#include "hangu/codec/http2/frame_writer.h"
#include "hangu/codec/http2/head_encoder.h"
#include "hangu/codec/http2/multiplexer.h"

namespace hangu::codec::http1 {
namespace {

constexpr std::string_view kRequest =
    "GET /v1/users/4711/orders?page=2&size=50 HTTP/1.1\r\n"
    "Host: api.example.org\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/120.0 Safari/537.36\r\n"
    "Accept: application/json, text/plain, */*\r\n"
    "Accept-Language: zh-CN,zh;q=0.9,en;q=0.8\r\n"
    "Accept-Encoding: gzip, deflate, br\r\n"
    "Authorization: Bearer "
    "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2ln\r\n"
    "Cookie: session=0123456789abcdef0123456789abcdef; theme=dark\r\n"
    "Cache-Control: no-cache\r\n"
    "X-Request-Id: 0190163d-8694-739b-aea5-966c26f8ad91\r\n"
    "\r\n";

constexpr std::string_view kResponse =
    "HTTP/1.1 200 OK\r\n"
    "Date: Mon, 23 Nov 2026 20:57:05 GMT\r\n"
    "Content-Type: application/json; charset=utf-8\r\n"
    "Content-Length: 128\r\n"
    "Cache-Control: private, max-age=0\r\n"
    "ETag: \"33a64df551425fcc55e4d42a148795d9f25f89d4\"\r\n"
    "\r\n";

struct Pools {
  buffer::BlockPool small{{.block_bytes = 2048, .blocks_max = 64}};
  buffer::BlockPool large{{.block_bytes = 65536, .blocks_max = 8}};
};

void read_request(benchmark::State& state) {
  Pools pools;
  HeadReader reader(HeadScanner::Kind::kRequest, {});
  for (auto _ : state) {
    buffer::Arena arena(pools.small, pools.large);
    const auto step = reader.read(kRequest, arena);
    reader.reset();
    http::RequestHead head;
    head.reset(arena);
    benchmark::DoNotOptimize(parse_request_head(step->head, {}, head).has_value());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(kRequest.size()));
}

void forward_request(benchmark::State& state) {
  Pools pools;
  HeadReader reader(HeadScanner::Kind::kRequest, {});
  for (auto _ : state) {
    buffer::Arena arena(pools.small, pools.large);
    const auto step = reader.read(kRequest, arena);
    reader.reset();
    http::RequestHead head;
    head.reset(arena);
    benchmark::DoNotOptimize(parse_request_head(step->head, {}, head).has_value());
    benchmark::DoNotOptimize(serialise_request_head(head, {}, arena).size);
  }
}

void forward_response(benchmark::State& state) {
  Pools pools;
  HeadReader reader(HeadScanner::Kind::kResponse, {});
  for (auto _ : state) {
    buffer::Arena arena(pools.small, pools.large);
    const auto step = reader.read(kResponse, arena);
    reader.reset();
    http::ResponseHead head;
    head.reset(arena);
    benchmark::DoNotOptimize(
        parse_response_head(step->head, http::Method::kGet, {}, head).has_value());
    benchmark::DoNotOptimize(
        serialise_response_head(
            head, {.framing = head.framing, .content_length = head.content_length}, arena)
            .size);
  }
}

BENCHMARK(read_request);
BENCHMARK(forward_request);
BENCHMARK(forward_response);

}  // namespace
}  // namespace hangu::codec::http1

namespace hangu::codec::http2 {
namespace {

constexpr size_t kStreams = 32;
constexpr size_t kBodyBytes = 128;

using Fields = std::vector<std::pair<std::string_view, std::string_view>>;

// What a client sends again and again; all but the path is in the table the second time.
const Fields kRequest = {
    {":method", "GET"},
    {":scheme", "https"},
    {":authority", "api.example.org"},
    {":path", "/v1/users/4711/orders?page=2&size=50"},
    {"user-agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/120.0 Safari/537.36"},
    {"accept", "application/json, text/plain, */*"},
    {"accept-encoding", "gzip, deflate, br"}};

std::string encode(HpackEncoder& encoder, const Fields& fields) {
  std::string block;
  for (const auto& [name, value] : fields) {
    std::string field(HpackEncoder::bytes_max(name, value), '\0');
    field.resize(encoder.encode(
        field.data(), name, value,
        name == ":path" ? HpackEncoder::Indexing::kNot : HpackEncoder::Indexing::kAllowed));
    block += field;
  }
  return block;
}

struct Pools {
  buffer::BlockPool small{{.block_bytes = 2048, .blocks_max = 1024}};
  buffer::BlockPool large{{.block_bytes = 65536, .blocks_max = 8}};
};

class Slot final : public StreamSlot {
 public:
  explicit Slot(Pools& pools)
      : StreamSlot(pools.small),
        arena(pools.small, pools.large) {}

  buffer::Arena arena;
  http::RequestHead request;
  http::ResponseHead response;
};

/// A server whose handler answers at once.
class Server final : public MultiplexerHandler {
 public:
  explicit Server(Pools& pools)
      : slots_(kStreams, pools) {
    multiplexer.begin();
  }

  void write(buffer::Slice&& bytes) noexcept override { written += bytes.size; }

  void write_copy(std::string_view bytes) noexcept override { written += bytes.size(); }

  bool output_congested() const noexcept override { return false; }

  StreamSlot* on_open(uint32_t) noexcept override { return &slots_.take(); }

  void on_section(StreamSlot& slot, bool, FieldSection& section) noexcept override {
    auto& mine = static_cast<Slot&>(slot);
    mine.request.reset(mine.arena);
    section.begin(FieldSection::Kind::kRequest, mine.request.headers, mine.arena, {});
  }

  bool on_head(StreamSlot& slot, FieldSection& section, bool end) noexcept override {
    auto& mine = static_cast<Slot&>(slot);
    benchmark::DoNotOptimize(section.finish_request(mine.request, end).has_value());
    http::ResponseHead& response = mine.response;
    response.reset(mine.arena);
    response.status = 200;
    response.framing = http::BodyFraming::kLength;
    response.content_length = kBodyBytes;
    static_cast<void>(response.headers.add(http::HeaderName::kContentType, "application/json"));
    static_cast<void>(
        response.headers.add(http::HeaderName::kDate, "Mon, 23 Nov 2026 20:57:05 GMT"));
    static_cast<void>(response.headers.add(http::HeaderName::kXRequestId,
                                           "0190163d-8694-739b-aea5-966c26f8ad91"));
    multiplexer.send_head(
        slot, encode_response_head(multiplexer.encoder(), response, 200, mine.arena), false);
    static constexpr char kBody[kBodyBytes] = {};
    multiplexer.send_data(slot, buffer::Slice{{}, kBody, sizeof kBody}, true);
    return true;
  }

  void on_trailers(StreamSlot&, FieldSection&) noexcept override {}

  void on_data(StreamSlot&, buffer::Slice&&, bool) noexcept override {}

  void on_writable(StreamSlot&) noexcept override {}

  void on_sent(StreamSlot&) noexcept override {}

  void on_reset(StreamSlot&, ErrorCode, bool) noexcept override {}

  void on_closed(StreamSlot&) noexcept override {}

  void on_goaway(uint32_t, ErrorCode) noexcept override {}

  void on_ping_ack(std::string_view) noexcept override {}

  void on_settings(bool) noexcept override {}

 private:
  /// Slots are destroyed between requests, as the pool of a shard does it.
  class Slots {
   public:
    Slots(size_t count, Pools& pools)
        : slots_(count),
          pools_(pools) {}

    Slot& take() { return slots_[next_++ % slots_.size()].emplace(pools_); }

   private:
    std::vector<std::optional<Slot>> slots_;
    Pools& pools_;
    size_t next_ = 0;
  };

  Slots slots_;

 public:
  uint64_t written = 0;
  Multiplexer multiplexer{{}, *this};
};

/// The codec's part of serving 32 requests that came together.
void serve_32_streams(benchmark::State& state) {
  Pools pools;
  Server server(pools);
  const TimePoint now{};
  uint32_t stream = 1;
  const auto receive = [&](const std::string& bytes) {
    const auto result = server.multiplexer.receive(
        buffer::Slice{{}, bytes.data(), static_cast<uint32_t>(bytes.size())}, now);
    if (!result) {
      state.SkipWithError(to_string(result.error().code));
    }
  };
  const auto batch = [&](const std::string& block) {
    std::string bytes(kWindowUpdateBytes, '\0');
    write_window_update(bytes.data(), 0, kStreams * kBodyBytes);
    for (size_t i = 0; i < kStreams; ++i) {
      const size_t at = bytes.size();
      bytes.resize(at + kFrameHeaderBytes);
      write_frame_header(bytes.data() + at, {.length = static_cast<uint32_t>(block.size()),
                                             .type = FrameType::kHeaders,
                                             .flags = kFlagEndHeaders | kFlagEndStream,
                                             .stream_id = stream});
      bytes += block;
      stream += 2;
    }
    return bytes;
  };
  std::string preface(kClientPreface);
  preface.resize(preface.size() + kFrameHeaderBytes);
  write_frame_header(preface.data() + kClientPreface.size(), {.type = FrameType::kSettings});
  receive(preface);
  // The first request fills the table; its frame has to come before those that refer to it.
  HpackEncoder encoder;
  const std::string first = encode(encoder, kRequest);
  const std::string block = encode(encoder, kRequest);
  std::string head(kFrameHeaderBytes, '\0');
  write_frame_header(head.data(), {.length = static_cast<uint32_t>(first.size()),
                                   .type = FrameType::kHeaders,
                                   .flags = kFlagEndHeaders | kFlagEndStream,
                                   .stream_id = stream});
  stream += 2;
  receive(head + first);
  for (auto _ : state) {
    receive(batch(block));
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kStreams));
  benchmark::DoNotOptimize(server.written);
}

BENCHMARK(serve_32_streams);

}  // namespace
}  // namespace hangu::codec::http2

BENCHMARK_MAIN();
