// What the codec costs a request: finding and parsing heads, writing them again.
//   build/release/bin/hangu_codec_bench
#include <string>

#include <benchmark/benchmark.h>

#include "hangu/codec/http1/head_reader.h"
#include "hangu/codec/http1/request_parser.h"
#include "hangu/codec/http1/response_parser.h"
#include "hangu/codec/http1/serialiser.h"

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

BENCHMARK_MAIN();
