#include "hangu/http/hop_by_hop.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/http/memory.h"

namespace hangu::http {
namespace {

/// "close keep-alive upgrade 2", or "refused".
std::string parse(std::string_view value, bool transfer_encoding_named = false) {
  ConnectionOptions options;
  if (!parse_connection(value, transfer_encoding_named, options)) {
    return "refused";
  }
  std::string text = options.close ? "close " : "";
  text.append(options.keep_alive ? "keep-alive " : "").append(options.upgrade ? "upgrade " : "");
  return text + std::to_string(options.named);
}

TEST(HopByHopTest, ReadsConnectionOptions) {
  const struct {
    std::string_view value;
    std::string_view expected;
  } cases[] = {
      {"", "0"},
      {" , ,, ", "0"},
      {"close", "close 0"},
      {"CLOSE", "close 0"},
      {"Keep-Alive", "keep-alive 0"},
      {"keep-alive, Upgrade", "keep-alive upgrade 0"},
      {"close,\tkeep-alive ,", "close keep-alive 0"},
      {"Upgrade, HTTP2-Settings", "upgrade 1"},
      {"X-A, x-b, TE", "3"},
      {"closed", "1"},
      {"trailer, proxy-connection, proxy-authorization, connection", "4"},
  };

  for (const auto& [value, expected] : cases) {
    EXPECT_EQ(parse(value), expected) << value;
  }
}

TEST(HopByHopTest, RefusesToHaveEndToEndFieldsRemoved) {
  for (const std::string_view value :
       {"Host", "close, content-length", "Authorization", "Cookie", "X-Forwarded-For",
        "x-forwarded-client-cert", "X-FORWARDED-", "Forwarded", "X-Real-IP", "X-Request-Id", "Via",
        "Cache-Control", "Transfer-Encoding", "Set-Cookie", "Date"}) {
    EXPECT_EQ(parse(value), "refused") << value;
  }
  EXPECT_EQ(parse("Transfer-Encoding", true), "1");
  EXPECT_EQ(parse("Content-Length", true), "refused");
}

TEST(HopByHopTest, RefusesWhatIsNoList) {
  for (const std::string_view value :
       {"a b", "close keep-alive", "close;", "\"close\"", "a=b", "x:", "\xff", "@", "a/b"}) {
    EXPECT_EQ(parse(value), "refused") << value;
  }
}

TEST(HopByHopTest, AddsUpSeveralFields) {
  ConnectionOptions options;
  EXPECT_TRUE(parse_connection("close", false, options));
  EXPECT_TRUE(parse_connection("X-A, keep-alive", false, options));
  EXPECT_TRUE(options.close && options.keep_alive && !options.upgrade);
  EXPECT_EQ(options.named, 1);
  for (int i = 1; i < kNamedMax; ++i) {
    EXPECT_TRUE(parse_connection("X-A", false, options)) << i;
  }
  EXPECT_EQ(options.named, kNamedMax);
  EXPECT_TRUE(parse_connection("close", false, options));
  EXPECT_FALSE(parse_connection("X-A", false, options));
}

using Fields = std::vector<std::pair<std::string_view, std::string_view>>;

std::string remaining(const Fields& fields, bool keep_upgrade = false) {
  test::Memory memory;
  HeaderBlock headers(memory.arena());
  for (const auto& [name, value] : fields) {
    headers.add(name, value);
  }
  remove_hop_by_hop(headers, keep_upgrade);
  std::string text;
  for (const Header& header : headers) {
    text.append(header.name()).append("=").append(header.value()).append(" ");
  }
  return text;
}

TEST(HopByHopTest, RemovesWhatEndsHere) {
  EXPECT_EQ(remaining({{"A", "1"},
                       {"Connection", "close"},
                       {"Keep-Alive", "timeout=5"},
                       {"Transfer-Encoding", "chunked"},
                       {"Proxy-Connection", "keep-alive"},
                       {"Proxy-Authenticate", "Basic"},
                       {"Proxy-Authorization", "x"},
                       {"Upgrade", "websocket"},
                       {"Trailer", "X"},
                       {"Content-Length", "3"},
                       {"B", "2"}}),
            "A=1 Trailer=X Content-Length=3 B=2 ");
}

TEST(HopByHopTest, RemovesWhatConnectionNames) {
  EXPECT_EQ(remaining({{"X-Foo", "1"},
                       {"Connection", "x-foo, close"},
                       {"x-FOO", "2"},
                       {"Connection", "X-Bar"},
                       {"X-Bar", "3"},
                       {"X-Baz", "4"}}),
            "X-Baz=4 ");
}

TEST(HopByHopTest, LeavesWhatConnectionMayNotName) {
  EXPECT_EQ(remaining({{"Connection", "Host, Authorization, X-Forwarded-User, Trailer, close, a b"},
                       {"Host", "a"},
                       {"Authorization", "x"},
                       {"X-Forwarded-User", "u"},
                       {"Trailer", "t"},
                       {"Close", "c"}}),
            "Host=a Authorization=x X-Forwarded-User=u Trailer=t Close=c ");
}

TEST(HopByHopTest, KeepsUpgradeForAProtocolSwitch) {
  const Fields fields{{"Connection", "upgrade, HTTP2-Settings"},
                      {"Upgrade", "websocket"},
                      {"HTTP2-Settings", "AA"},
                      {"Sec-WebSocket-Key", "k"}};
  EXPECT_EQ(remaining(fields, true), "Upgrade=websocket Sec-WebSocket-Key=k ");
  EXPECT_EQ(remaining(fields, false), "Sec-WebSocket-Key=k ");
}

TEST(HopByHopTest, PassesOnTheWishForTrailersOnly) {
  const struct {
    Fields fields;
    std::string_view expected;
  } cases[] = {
      {{{"TE", "trailers"}}, "TE=trailers "},
      {{{"TE", "gzip;q=0.5, Trailers"}, {"Connection", "TE"}}, "TE=trailers "},
      {{{"TE", "gzip"}, {"te", "deflate,trailers"}}, "TE=trailers "},
      {{{"TE", "gzip"}}, ""},
      {{{"TE", ""}}, ""},
      {{{"TE", "trailersx"}}, ""},
  };

  for (const auto& [fields, expected] : cases) {
    EXPECT_EQ(remaining(fields), expected) << testing::PrintToString(fields);
  }
}

}  // namespace
}  // namespace hangu::http
