#include "hangu/http/local_reply.h"

#include <cstdint>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "tests/unit/http/memory.h"

namespace hangu::http {
namespace {

using namespace std::string_view_literals;

constexpr int kErrcCount = static_cast<int>(Errc::kInvalidArgument) + 1;

/// "400 bad_request.header close retry"
std::string reply_to(const Error& error) {
  const LocalReply reply = local_reply_for(error);
  std::string text = std::to_string(reply.status) + " " + std::string(reply.code);
  text.append(reply.close ? " close" : "");
  return text.append(reply.retry_after_s != 0 ? " retry" : "");
}

TEST(LocalReplyTest, BlamesTheClientForItsErrors) {
  const struct {
    Errc code;
    std::string_view expected;
  } cases[] = {
      {Errc::kBadRequestLine, "400 bad_request.request_line close"},
      {Errc::kBadHeader, "400 bad_request.header close"},
      {Errc::kBadHost, "400 bad_request.host close"},
      {Errc::kBadPath, "400 bad_request.path close"},
      {Errc::kBadFraming, "400 bad_request.framing close"},
      {Errc::kBadChunk, "400 bad_request.chunk close"},
      {Errc::kBadVersion, "505 bad_request.version close"},
      {Errc::kBadProxyHeader, "400 bad_request.proxy_header close"},
      {Errc::kUriTooLong, "414 limit.uri close"},
      {Errc::kHeadersTooLarge, "431 limit.headers close"},
      {Errc::kBodyTooLarge, "413 limit.body close"},
      {Errc::kExpectationFailed, "417 bad_request.expectation close"},
      {Errc::kNotImplemented, "501 not_implemented close"},
      {Errc::kUnexpectedEof, "400 bad_request.incomplete close"},
      {Errc::kTimeout, "408 client.timeout close"},
      {Errc::kIdleTimeout, "408 client.timeout close"},
  };

  for (const auto& [code, expected] : cases) {
    EXPECT_EQ(reply_to(downstream_error(code, "")), expected);
  }
}

TEST(LocalReplyTest, SaysWhenItIsForTheTimeBeing) {
  for (const Errc code : {Errc::kOverflow, Errc::kQueueTimeout, Errc::kResource}) {
    EXPECT_EQ(local_reply_for(upstream_error(code, "")).type, kReducedCapacity);
  }
  for (const Errc code : {Errc::kNoEndpoint, Errc::kConnectFailed, Errc::kDraining}) {
    EXPECT_EQ(local_reply_for(upstream_error(code, "")).type, "about:blank");
  }
}

TEST(LocalReplyTest, BlamesTheUpstreamForItsErrors) {
  const struct {
    Errc code;
    std::string_view expected;
  } cases[] = {
      {Errc::kBadStatusLine, "502 upstream.protocol"},
      {Errc::kBadHeader, "502 upstream.protocol"},
      {Errc::kBadFraming, "502 upstream.protocol"},
      {Errc::kBadChunk, "502 upstream.protocol"},
      {Errc::kBadVersion, "502 upstream.protocol"},
      {Errc::kHeadersTooLarge, "502 upstream.protocol"},
      {Errc::kBodyTooLarge, "502 upstream.body_too_large"},
      {Errc::kNotImplemented, "502 upstream.protocol"},
      {Errc::kUnexpectedData, "502 upstream.protocol"},
      {Errc::kReset, "502 upstream.reset"},
      {Errc::kUnexpectedEof, "502 upstream.reset"},
      {Errc::kConnectFailed, "503 upstream.connect retry"},
      {Errc::kConnectTimeout, "503 upstream.connect retry"},
      {Errc::kTimeout, "504 upstream.timeout"},
      {Errc::kIdleTimeout, "504 upstream.timeout"},
  };

  for (const auto& [code, expected] : cases) {
    EXPECT_EQ(reply_to(upstream_error(code, "")), expected);
  }
}

TEST(LocalReplyTest, SaysTheSameOfPolicyWhateverTheSide) {
  const struct {
    Errc code;
    std::string_view expected;
  } cases[] = {
      {Errc::kNoRoute, "404 route.none"},
      {Errc::kMethodNotAllowed, "405 route.method"},
      {Errc::kMisdirected, "421 host.misdirected"},
      {Errc::kTooEarly, "425 request.too_early"},
      {Errc::kNoEndpoint, "503 upstream.none retry"},
      {Errc::kOverflow, "503 upstream.overflow retry"},
      {Errc::kDraining, "503 draining close retry"},
      {Errc::kResource, "503 overload.shed retry"},
  };

  for (const auto& [code, expected] : cases) {
    for (const Side side : {Side::kDownstream, Side::kUpstream, Side::kInternal}) {
      EXPECT_EQ(reply_to(Error{.code = code, .side = side}), expected);
    }
  }
}

TEST(LocalReplyTest, HasAnAnswerToEveryError) {
  for (int code = 0; code < kErrcCount; ++code) {
    for (const Side side : {Side::kDownstream, Side::kUpstream, Side::kInternal}) {
      const Error error{.code = static_cast<Errc>(code), .side = side, .detail = "why"};
      const LocalReply reply = local_reply_for(error);
      EXPECT_GE(reply.status, 400) << to_string(error.code);
      EXPECT_LT(reply.status, 600) << to_string(error.code);
      EXPECT_FALSE(reply.code.empty()) << to_string(error.code);
      // What went wrong inside is for the log.
      EXPECT_EQ(reply.detail, reply.status == 500 ? "" : "why") << to_string(error.code);
      EXPECT_EQ(reply.status == 500, reply.code == "internal") << to_string(error.code);
      EXPECT_NE(reason_phrase(reply.status), "Unknown"sv) << to_string(error.code);
    }
  }
}

std::string render(const LocalReply& reply, std::string_view request_id) {
  test::Memory memory;
  return std::string(render_problem_json(reply, request_id, memory.arena()));
}

TEST(LocalReplyTest, WritesProblemJson) {
  EXPECT_EQ(render({.status = 404, .code = "route.none"}, ""),
            R"({"type":"about:blank","title":"Not Found","status":404,"code":"route.none"})"
            "\n");
  EXPECT_EQ(render({.status = 503, .code = "draining", .detail = "d", .retry_after_s = 4294967295},
                   "id-1"),
            R"({"type":"about:blank","title":"Service Unavailable","status":503,)"
            R"("code":"draining","detail":"d","request_id":"id-1","retry_after":4294967295})"
            "\n");
  EXPECT_EQ(render({.status = -5, .code = ""}, ""),
            R"({"type":"about:blank","title":"Unknown","status":0,"code":""})"
            "\n");
}

TEST(LocalReplyTest, EscapesWhatJsonCannotHold) {
  const std::string body =
      render({.status = 400, .code = "\"\\", .detail = "a\n\0\x1f\x7f/<\xe8\xff"sv}, "\r\n\"");
  EXPECT_NE(body.find(R"("code":"\"\\")"), std::string::npos) << body;
  EXPECT_NE(body.find(R"("detail":"a\u000a\u0000\u001f\u007f/<\ufffd\ufffd")"), std::string::npos)
      << body;
  EXPECT_NE(body.find(R"("request_id":"\u000d\u000a\"")"), std::string::npos) << body;
}

TEST(LocalReplyTest, HasRoomForTextThatGrowsMost) {
  const std::string detail(3000, '\x01');
  const std::string body =
      render({.status = 431, .code = "limit.headers", .detail = detail}, detail);
  EXPECT_GT(body.size(), 6 * 6000U);
  EXPECT_TRUE(body.ends_with("\\u0001\"}\n"));
}

class LocalResponseTest : public testing::Test {
 protected:
  /// "status reason, length n, keep-alive | name: value ..."
  std::string make(const LocalReply& reply) {
    body_ = make_local_response(reply, "id", memory_.arena(), response_);
    std::string text = std::to_string(response_.status) + " " + std::string(response_.reason);
    text.append(response_.keep_alive ? ", keep-alive" : ", close");
    for (const Header& header : response_.headers) {
      text.append(" | ").append(header.name()).append(": ").append(header.value());
    }
    EXPECT_EQ(response_.framing, BodyFraming::kLength);
    EXPECT_EQ(response_.content_length, body_.size());
    return text;
  }

  test::Memory memory_;
  ResponseHead response_;
  std::string_view body_;
};

TEST_F(LocalResponseTest, SaysWhatABodyCannot) {
  constexpr std::string_view kFixed =
      " | content-type: application/problem+json | cache-control: no-store";
  EXPECT_EQ(make({.status = 404, .code = "route.none"}),
            "404 Not Found, keep-alive" + std::string(kFixed));
  EXPECT_EQ(make({.status = 405, .code = "route.method", .allow = "GET, HEAD"}),
            "405 Method Not Allowed, keep-alive" + std::string(kFixed) + " | allow: GET, HEAD");
  EXPECT_EQ(make({.status = 503, .code = "draining", .retry_after_s = 17, .close = true}),
            "503 Service Unavailable, close" + std::string(kFixed) + " | retry-after: 17");
  EXPECT_NE(body_.find("\"retry_after\":17"), std::string_view::npos);
  EXPECT_NE(body_.find("\"request_id\":\"id\""), std::string_view::npos);
}

TEST_F(LocalResponseTest, LeavesNothingOfTheResponseBefore) {
  response_.reset(memory_.arena());
  response_.upgrade = true;
  response_.version = Version::kHttp10;
  response_.headers.add("Set-Cookie", "secret");
  EXPECT_EQ(make({.status = 502, .code = "upstream.reset"}).find("secret"), std::string::npos);
  EXPECT_FALSE(response_.upgrade);
  EXPECT_EQ(response_.version, Version::kHttp11);
}

}  // namespace
}  // namespace hangu::http
