#include "hangu/codec/http1/serialiser.h"

#include <cstdint>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "hangu/codec/http1/chunk_writer.h"
#include "hangu/codec/http1/request_parser.h"
#include "hangu/codec/http1/response_parser.h"

#include "tests/unit/codec/replay.h"

namespace hangu::codec::http1::test {
namespace {

using http::BodyFraming;
using http::HeaderName;

class SerialiserTest : public testing::Test {
 protected:
  /// Parses `text`, which stays in the arena.
  void take_request(std::string_view text) {
    request_.reset(memory_.arena());
    ASSERT_TRUE(parse_request_head(memory_.arena().copy(text), limits_, request_));
  }

  void take_response(std::string_view text) {
    response_.reset(memory_.arena());
    ASSERT_TRUE(
        parse_response_head(memory_.arena().copy(text), http::Method::kGet, limits_, response_));
  }

  std::string request(const RequestFraming& framing = {}) {
    return std::string(serialise_request_head(request_, framing, memory_.arena()).view());
  }

  std::string response(const ResponseFraming& framing = {}) {
    return std::string(serialise_response_head(response_, framing, memory_.arena()).view());
  }

  Memory memory_;
  Limits limits_;
  http::RequestHead request_;
  http::ResponseHead response_;
};

TEST_F(SerialiserTest, WritesRequests) {
  take_request("PUT /a?b HTTP/1.1\r\nX-A: 1\r\nHost: A:80\r\nx-b:  2 \r\nX-C:\r\nX-D: 3\r\n\r\n");
  EXPECT_EQ(request(),
            "PUT /a?b HTTP/1.1\r\nHost: a:80\r\nX-A: 1\r\nx-b: 2\r\nX-C: \r\nX-D: 3\r\n\r\n");
}

TEST_F(SerialiserTest, WritesRequestTargets) {
  take_request("GET http://a?b HTTP/1.0\r\n\r\n");
  EXPECT_EQ(request(), "GET /?b HTTP/1.1\r\nHost: a\r\n\r\n");
  take_request("GET /? HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(request(), "GET /? HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(request({.target = "/x?y", .host = "b:1"}), "GET /x?y HTTP/1.1\r\nHost: b:1\r\n\r\n");
  take_request("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(request(), "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
}

TEST_F(SerialiserTest, FramesRequestsAsTheCallerSays) {
  take_request(
      "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nConnection: close, x\r\n"
      "Keep-Alive: 5\r\nProxy-Connection: close\r\nUpgrade: b\r\nX: y\r\n\r\n");
  const std::string begin = "PUT / HTTP/1.1\r\nHost: a\r\n";
  EXPECT_EQ(request(), begin + "X: y\r\n\r\n");
  EXPECT_EQ(request({.framing = BodyFraming::kLength, .content_length = UINT64_MAX, .close = true}),
            begin + "X: y\r\nContent-Length: 18446744073709551615\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(request({.framing = BodyFraming::kLength}),
            begin + "X: y\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(request({.framing = BodyFraming::kChunked}),
            begin + "X: y\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_EQ(request({.upgrade = true}),
            begin + "Upgrade: b\r\nX: y\r\nConnection: upgrade\r\n\r\n");
}

TEST_F(SerialiserTest, NamesTeInConnection) {
  take_request("GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nUpgrade: b\r\n\r\n");
  const std::string begin = "GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\n";
  EXPECT_EQ(request(), begin + "Connection: TE\r\n\r\n");
  EXPECT_EQ(request({.close = true}), begin + "Connection: close, TE\r\n\r\n");
  EXPECT_EQ(request({.upgrade = true}), begin + "Upgrade: b\r\nConnection: upgrade, TE\r\n\r\n");
}

TEST_F(SerialiserTest, DropsTransferEncoding) {
  take_request("PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nX: y\r\n\r\n");
  EXPECT_EQ(request({.framing = BodyFraming::kLength, .content_length = 7}),
            "PUT / HTTP/1.1\r\nHost: a\r\nX: y\r\nContent-Length: 7\r\n\r\n");
}

TEST_F(SerialiserTest, WritesChangedFields) {
  take_request(
      "GET / HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nX-B: 2\r\nX-C: 3\r\nX-A: 4\r\nX-D: 5\r\n\r\n");
  ASSERT_TRUE(request_.headers.set("X-A", "longer than before"));
  request_.headers.remove("x-b");
  ASSERT_TRUE(request_.headers.add_copy("X-E", "6"));
  EXPECT_EQ(request(),
            "GET / HTTP/1.1\r\nHost: a\r\nX-A: longer than before\r\nX-C: 3\r\nX-D: 5\r\n"
            "X-E: 6\r\n\r\n");
}

TEST_F(SerialiserTest, WhatItWritesParsesBack) {
  std::string fields;
  for (int i = 0; i < 90; ++i) {
    fields +=
        "X-" + std::to_string(i) + (i % 3 == 0 ? ":" : ": ") + std::string(i * 7U, 'v') + "\r\n";
  }
  take_request("GET /p HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n");
  const std::string before = describe(request_.headers);
  const std::string written = request();
  take_request(written);
  EXPECT_EQ(describe(request_.headers), before);
}

TEST_F(SerialiserTest, WritesResponses) {
  take_response(
      "HTTP/1.0 200 Fine\r\nServer: a\r\nContent-Length: 5\r\nConnection: keep-alive\r\n"
      "Keep-Alive: 5\r\nUpgrade: h2c\r\nX: y\r\n\r\n");
  const std::string begin = "HTTP/1.1 200 Fine\r\nServer: a\r\n";
  EXPECT_EQ(response({.framing = BodyFraming::kLength, .content_length = 5}),
            begin + "X: y\r\nContent-Length: 5\r\n\r\n");
  EXPECT_EQ(response({.framing = BodyFraming::kChunked, .close = true}),
            begin + "X: y\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(response({.framing = BodyFraming::kUntilClose, .close = true, .http10 = true}),
            begin + "X: y\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(response({.framing = BodyFraming::kLength, .content_length = 1, .http10 = true}),
            begin + "X: y\r\nContent-Length: 1\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(response(), begin + "Content-Length: 5\r\nX: y\r\n\r\n");  // to HEAD
}

TEST_F(SerialiserTest, WritesResponsesWithoutBody) {
  take_response("HTTP/1.1 304 \r\nContent-Length: 5\r\n\r\n");
  EXPECT_EQ(response(), "HTTP/1.1 304 \r\nContent-Length: 5\r\n\r\n");
  take_response("HTTP/1.1 204 X\r\nContent-Length: 5\r\n\r\n");
  EXPECT_EQ(response(), "HTTP/1.1 204 X\r\n\r\n");
  EXPECT_EQ(response({.framing = BodyFraming::kLength}), "HTTP/1.1 204 X\r\n\r\n");
  EXPECT_EQ(response({.framing = BodyFraming::kChunked}), "HTTP/1.1 204 X\r\n\r\n");
  take_response("HTTP/1.1 101 X\r\nConnection: upgrade, y\r\nUpgrade: a\r\n\r\n");
  EXPECT_EQ(response({.upgrade = true}),
            "HTTP/1.1 101 X\r\nUpgrade: a\r\nConnection: upgrade\r\n\r\n");
}

TEST_F(SerialiserTest, WritesTrailers) {
  http::HeaderBlock trailers(memory_.arena());
  EXPECT_EQ(serialise_trailers(trailers, memory_.arena()).view(), "0\r\n\r\n");
  ASSERT_TRUE(trailers.add("X", "y"));
  ASSERT_TRUE(trailers.add("Transfer-Encoding", "chunked"));
  ASSERT_TRUE(trailers.add("Z", ""));
  EXPECT_EQ(serialise_trailers(trailers, memory_.arena()).view(), "0\r\nX: y\r\nZ: \r\n\r\n");
}

TEST(ChunkHeader, IsHexadecimal) {
  const auto written = [](uint64_t size) {
    char out[kChunkHeaderBytesMax];
    return std::string(out, write_chunk_header(out, size));
  };
  EXPECT_EQ(written(1), "1\r\n");
  EXPECT_EQ(written(15), "f\r\n");
  EXPECT_EQ(written(16), "10\r\n");
  EXPECT_EQ(written(0x1a2b3c), "1a2b3c\r\n");
  EXPECT_EQ(written(UINT64_MAX), "ffffffffffffffff\r\n");
}

struct TextOutput {
  void write(buffer::Slice&& slice) { text += slice.view(); }

  void write_copy(std::string_view bytes) { text += bytes; }

  void write_static(std::string_view bytes) { text += bytes; }

  std::string text;
};

TEST(ChunkWriter, FramesPieces) {
  constexpr std::string_view kData = "hello, chunked world";
  const buffer::Slice data{{}, kData.data(), 20};
  const auto written = [](buffer::Slice slice, bool end) {
    TextOutput output;
    write_chunked(output, std::move(slice), end);
    return output.text;
  };
  EXPECT_EQ(written(data, false), "14\r\nhello, chunked world\r\n");
  EXPECT_EQ(written(data, true), "14\r\nhello, chunked world\r\n0\r\n\r\n");
  EXPECT_EQ(written({}, true), "0\r\n\r\n");
  EXPECT_EQ(written({}, false), "");
}

}  // namespace
}  // namespace hangu::codec::http1::test
