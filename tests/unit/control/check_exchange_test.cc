// What health checks send and what they make of answers, in whatever pieces these come.
#include "control/check_exchange.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace hangu::control {
namespace {

using namespace std::string_literals;

struct Outcome {
  std::optional<CheckVerdict> verdict;
  std::string replies;
};

Outcome feed(const config::HealthCheck& check, bool http2, const std::string& answer,
             size_t piece_bytes) {
  const auto exchange =
      make_check_exchange(check, {.http2 = http2, .secure = false, .host = "a.example:80"});
  EXPECT_NE(exchange, nullptr);
  static_cast<void>(exchange->begin());
  Outcome outcome;
  for (size_t at = 0; at < answer.size() && !outcome.verdict; at += piece_bytes) {
    outcome.verdict =
        exchange->received(std::string_view(answer).substr(at, piece_bytes), outcome.replies);
  }
  if (!outcome.verdict) {
    outcome.verdict = exchange->ended();
  }
  return outcome;
}

void expect_verdict(const config::HealthCheck& check, bool http2, const std::string& answer,
                    bool good, const std::string& reason) {
  for (const size_t piece_bytes : {size_t{1}, size_t{2}, size_t{7}, size_t{100'000}}) {
    const Outcome outcome = feed(check, http2, answer, piece_bytes);
    EXPECT_EQ(outcome.verdict->good, good) << reason;
    EXPECT_EQ(outcome.verdict->reason, reason) << piece_bytes;
  }
}

TEST(CheckExchange, Http1Asks) {
  config::HealthCheck check;
  check.path = "/healthz?full";
  const auto exchange = make_check_exchange(check, {.host = "a.example:80"});
  EXPECT_EQ(exchange->begin(),
            "GET /healthz?full HTTP/1.1\r\nHost: a.example:80\r\n"
            "User-Agent: hangu-health-check\r\nConnection: close\r\n\r\n");
}

TEST(CheckExchange, Http1Answers) {
  config::HealthCheck check;
  const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine";
  expect_verdict(check, false, ok, true, "HTTP 200");
  expect_verdict(check, false, "HTTP/1.1 103 Early\r\nLink: a\r\n\r\n" + ok, true, "HTTP 200");
  expect_verdict(check, false, "HTTP/1.0 399 Odd\r\n\r\n", true, "HTTP 399");
  expect_verdict(check, false, "HTTP/1.1 400 Bad\r\n\r\n", false, "HTTP 400");
  expect_verdict(check, false, "HTTP/1.1 20", false, "closed before an answer");
  expect_verdict(check, false, "", false, "closed before an answer");
  EXPECT_FALSE(feed(check, false, "SSH-2.0-x\r\n\r\n", 100).verdict->good);
  check.body = "in";
  expect_verdict(check, false, ok, true, "HTTP 200");
  check.body = "bad";
  const std::string lacks = "HTTP 200, but the body lacks what is expected";
  expect_verdict(check, false, ok, false, lacks);
  const std::string chunked =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nba\r\n1\r\nd\r\n0\r\n\r\n";
  expect_verdict(check, false, chunked, true, "HTTP 200");
  const std::string endless = "HTTP/1.0 200 OK\r\n\r\n" + std::string(70'000, 'x');
  EXPECT_EQ(feed(check, false, endless + "bad", 5000).verdict->reason, lacks);
}

TEST(CheckExchange, TcpExpects) {
  config::HealthCheck check;
  check.kind = config::HealthCheckKind::kTcp;
  EXPECT_EQ(make_check_exchange(check, {}), nullptr);
  check.expect = "PONG";
  expect_verdict(check, false, "+PONG\r\n", true, "the answer is as expected");
  expect_verdict(check, false, "-ERR\r\n", false, "closed before the expected answer");
  EXPECT_EQ(feed(check, false, std::string(70'000, 'x'), 1000).verdict->reason,
            "the answer lacks what is expected");
}

std::string frame(char type, char flags, char stream, const std::string& payload) {
  return std::string(1, '\0') + static_cast<char>(payload.size() >> 8) +
         static_cast<char>(payload.size() & 0xff) + type + flags + "\0\0\0"s + stream + payload;
}

const std::string kSettings = frame(4, 0, 0, "");
const std::string kOk = "\x88"s;  // :status 200
const std::string kUnavailable =
    "\x48\x03"s
    "503";  // :status

TEST(CheckExchange, Http2Answers) {
  config::HealthCheck check;
  expect_verdict(check, true, kSettings + frame(1, 5, 1, kOk), true, "HTTP 200");
  expect_verdict(check, true, kSettings + frame(1, 5, 1, kUnavailable), false, "HTTP 503");
  // Padding and a priority, a header block in two frames, an unknown frame between.
  const std::string padded = "\x02"s + "\0\0\0\0\x10"s + kOk + "\0\0"s;
  expect_verdict(check, true, frame(99, 0, 0, "abc") + frame(1, 0x2c, 1, padded), true, "HTTP 200");
  expect_verdict(check, true, frame(1, 1, 1, "") + frame(9, 4, 1, kOk), true, "HTTP 200");
  expect_verdict(check, true, frame(3, 0, 1, "\0\0\0\2"s), false, "the stream was reset");
  expect_verdict(check, true, frame(7, 0, 0, "\0\0\0\0\0\0\0\0"s), false,
                 "the server takes no streams (GOAWAY)");
  expect_verdict(check, true, frame(1, 0x0d, 1, "\x09\x88"s), false,
                 "no HTTP/2: a bad HEADERS frame");
  expect_verdict(check, true, frame(1, 5, 1, "\xff\xff\xff\xff\xff\xff\xff"), false,
                 "no HTTP/2: bad header compression");
  expect_verdict(check, true, "HTTP/1.1 400 Bad Request\r\n\r\n", false,
                 "no HTTP/2: a frame is too large");
  check.body = "up";
  expect_verdict(check, true, frame(1, 4, 1, kOk) + frame(0, 0, 1, "u") + frame(0, 1, 1, "p"), true,
                 "HTTP 200");
  expect_verdict(check, true, frame(1, 4, 1, kOk) + frame(0, 1, 1, "down"), false,
                 "HTTP 200, but the body lacks what is expected");
}

TEST(CheckExchange, Http2AcknowledgesSettingsAndPings) {
  const config::HealthCheck check;
  const std::string ping = "12345678";
  const Outcome outcome =
      feed(check, true, kSettings + frame(6, 0, 0, ping) + frame(1, 5, 1, kOk), 3);
  EXPECT_EQ(outcome.replies, frame(4, 1, 0, "") + frame(6, 1, 0, ping));
}

std::string grpc_answer(const std::string& message, const std::string& status) {
  // A literal field without indexing: grpc-status.
  const std::string trailers =
      "\0\x0b"s
      "grpc-status"s +
      static_cast<char>(status.size()) + status;
  return frame(1, 4, 1, kOk) +
         frame(0, 0, 1, "\0\0\0\0"s + static_cast<char>(message.size()) + message) +
         frame(1, 5, 1, trailers);
}

TEST(CheckExchange, GrpcAnswers) {
  config::HealthCheck check;
  check.kind = config::HealthCheckKind::kGrpc;
  expect_verdict(check, true, grpc_answer("\x08\x01"s, "0"), true, "gRPC SERVING");
  expect_verdict(check, true, grpc_answer("\x08\x02"s, "0"), false, "gRPC NOT_SERVING");
  expect_verdict(check, true, grpc_answer("", "0"), false, "gRPC UNKNOWN");
  expect_verdict(check, true, grpc_answer("\x08\x63"s, "0"), false, "no answer of grpc.health.v1");
  expect_verdict(check, true, grpc_answer("\x10\x01"s, "0"), false, "no answer of grpc.health.v1");
  expect_verdict(check, true, grpc_answer("\x08\x01"s, "12"), false, "gRPC status 12");
  expect_verdict(check, true, frame(1, 5, 1, kUnavailable), false, "HTTP 503");
  expect_verdict(check, true, frame(1, 5, 1, kOk), false, "no gRPC status");
}

}  // namespace
}  // namespace hangu::control
