#include "hangu/control/demo_origin.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hangu::control {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class DemoOriginTest : public testing::Test {
 protected:
  void SetUp() override {
    auto started = DemoOrigin::start(0);
    ASSERT_TRUE(started);
    origin_ = std::move(*started);
  }

  /// Sends the text on a new connection, `more` once something has come back, and reads to its end.
  std::string exchange(const std::string& request, const std::string& more = {}) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(origin_->port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    EXPECT_EQ(::send(fd, request.data(), request.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(request.size()));
    std::string reply;
    std::array<char, 65536> piece{};
    for (ssize_t got = 0; (got = ::recv(fd, piece.data(), piece.size(), 0)) > 0;) {
      if (reply.empty() && !more.empty()) {
        EXPECT_GT(::send(fd, more.data(), more.size(), MSG_NOSIGNAL), 0);
      }
      reply.append(piece.data(), static_cast<size_t>(got));
    }
    ::close(fd);
    return reply;
  }

  std::string get(const std::string& path) {
    return exchange(fmt::format("GET {} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", path));
  }

  std::unique_ptr<DemoOrigin> origin_;
};

TEST_F(DemoOriginTest, WelcomesAndListsItsPaths) {
  const std::string reply = get("/");
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 200"));
  for (const DemoPath& each : DemoOrigin::paths()) {
    EXPECT_THAT(reply, HasSubstr(each.path));
  }
}

TEST_F(DemoOriginTest, EchoesTheRequestAsJson) {
  const std::string reply = exchange(
      "POST /echo?a=\"1\" HTTP/1.1\r\nHost: x\r\nX-Hello: w\r\nContent-Length: 5\r\n"
      "Connection: close\r\n\r\nhello");
  EXPECT_THAT(reply, HasSubstr("\"method\": \"POST\""));
  EXPECT_THAT(reply, HasSubstr("[\"X-Hello\", \"w\"]"));
  EXPECT_THAT(reply, HasSubstr("\"body_bytes\": 5"));
}

TEST_F(DemoOriginTest, SendsAsManyBytesAsAsked) {
  const std::string reply = get("/bytes/300000");
  EXPECT_EQ(reply.size() - reply.find("\r\n\r\n") - 4, 300000U);
}

TEST_F(DemoOriginTest, CountsChunkedUploads) {
  const std::string reply = exchange(
      "PUT /upload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
      "5\r\nhello\r\n3\r\nabc\r\n0\r\n\r\n");
  EXPECT_THAT(reply, HasSubstr("{\"bytes\": 8}"));
}

TEST_F(DemoOriginTest, SaysGoOnToWhoExpectsIt) {
  const std::string reply = exchange(
      "PUT /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n"
      "Connection: close\r\n\r\nab");
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 100"));
  EXPECT_THAT(reply, HasSubstr("{\"bytes\": 2}"));
}

TEST_F(DemoOriginTest, AnswersWithTheStatusAsked) {
  EXPECT_THAT(get("/status/503"), StartsWith("HTTP/1.1 503"));
  EXPECT_THAT(get("/status/204"), StartsWith("HTTP/1.1 204"));
  EXPECT_THAT(get("/status/99"), StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(get("/nowhere"), StartsWith("HTTP/1.1 404"));
}

TEST_F(DemoOriginTest, HeadHasNoBody) {
  const std::string reply =
      exchange("HEAD /bytes/10 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(reply, HasSubstr("Content-Length: 10"));
  EXPECT_THAT(reply, testing::EndsWith("\r\n\r\n"));
}

TEST_F(DemoOriginTest, SendsChunksOverTime) {
  const std::string reply = get("/chunked");
  EXPECT_THAT(reply, HasSubstr("Transfer-Encoding: chunked"));
  EXPECT_THAT(reply, HasSubstr("chunk 5 of 5\n\r\n0\r\n\r\n"));
}

TEST_F(DemoOriginTest, KeepsConnectionsAlive) {
  const std::string reply = exchange(
      "GET /status/200 HTTP/1.1\r\nHost: x\r\n\r\n"
      "GET /status/201 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(reply, HasSubstr("HTTP/1.1 200"));
  EXPECT_THAT(reply, HasSubstr("HTTP/1.1 201"));
}

TEST_F(DemoOriginTest, SpeaksWebSocket) {
  const std::string reply = exchange(
      "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
      // "hi" and a close frame, masked with zeros.
      std::string("\x81\x82\0\0\0\0hi\x88\x80\0\0\0\0", 14));
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 101"));
  EXPECT_THAT(reply, HasSubstr("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
  EXPECT_THAT(reply, HasSubstr(std::string("\x81\x02hi", 4)));
}

TEST_F(DemoOriginTest, APortInUseIsAnError) {
  const auto second = DemoOrigin::start(origin_->port());
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error(), HasSubstr("cannot bind 127.0.0.1"));
}

TEST_F(DemoOriginTest, MayBeABadServer) {
  EXPECT_THAT(get("/echo"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(get("/faults?fail=100&delay=1"),
              HasSubstr("fails 100% of requests, answers after 1"));
  EXPECT_THAT(get("/echo"), StartsWith("HTTP/1.1 500"));
  EXPECT_THAT(get("/faults"), HasSubstr("fails 0% of requests"));
  EXPECT_THAT(get("/echo"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(get("/faults?fail=101"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(get("/faults?delay=x"), StartsWith("HTTP/1.1 400"));
}

TEST_F(DemoOriginTest, TellsItsVersion) {
  origin_ = std::move(*DemoOrigin::start(0, {.version = "2.0"}));
  EXPECT_THAT(get("/echo"), HasSubstr("x-version: 2.0\r\n"));
}

}  // namespace
}  // namespace hangu::control
