// Where a request ends: Content-Length and Transfer-Encoding, in every spelling meant to make two
// readers disagree.
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/codec/request_replay.h"

namespace hangu::codec::http1::test {
namespace {

using testing::StartsWith;
using namespace std::string_view_literals;

struct Case {
  std::string_view fields;
  std::string_view outcome;  // how it begins
};

TEST(RequestFraming, FollowsTheFields) {
  constexpr Case kCases[] = {
      {"", "POST / 1.1 a, none,"},
      {"Content-Length: 0\r\n", "POST / 1.1 a, length 0,"},
      {"content-LENGTH:5\r\n", "POST / 1.1 a, length 5,"},
      {"Content-Length: \t 5 \t \r\n", "POST / 1.1 a, length 5,"},
      {"Content-Length: 0005\r\n", "POST / 1.1 a, length 5,"},
      {"Content-Length: 9223372036854775807\r\n", "POST / 1.1 a, length 9223372036854775807,"},
      {"Transfer-Encoding: chunked\r\n", "POST / 1.1 a, chunked,"},
      {"transfer-encoding:\tCHUNKED \r\n", "POST / 1.1 a, chunked,"},
      {"X-Content-Length: 5\r\nTransfer-Encodings: chunked\r\n", "POST / 1.1 a, none,"},
  };
  for (const Case& c : kCases) {
    EXPECT_THAT(replay_fields(c.fields), StartsWith(std::string(c.outcome))) << c.fields;
  }
}

TEST(RequestFraming, RefusesBadContentLength) {
  constexpr std::string_view kCases[] = {
      "Content-Length:\r\n",
      "Content-Length: +5\r\n",
      "Content-Length: -5\r\n",
      "Content-Length: -0\r\n",
      "Content-Length: 0x5\r\n",
      "Content-Length: 5a\r\n",
      "Content-Length: 5.0\r\n",
      "Content-Length: 5 5\r\n",
      "Content-Length: 5_0\r\n",
      "Content-Length: \"5\"\r\n",
      "Content-Length: 5,5\r\n",
      "Content-Length: 5, 6\r\n",
      "Content-Length: ,5\r\n",
      "Content-Length: 5,\r\n",
      "Content-Length: \xa0"
      "5\r\n",
      "Content-Length: 9223372036854775808\r\n",
      "Content-Length: 18446744073709551616\r\n",
      "Content-Length: 18446744073709551621\r\n",
      "Content-Length: 100000000000000000000000000000000000000005\r\n",
      "Content-Length: 5\r\nContent-Length: 5\r\n",
      "Content-Length: 5\r\nX: y\r\ncontent-length: 6\r\n",
  };
  for (const std::string_view fields : kCases) {
    EXPECT_THAT(replay_fields(fields), StartsWith("bad_framing (")) << fields;
  }
}

TEST(RequestFraming, RefusesBadTransferEncoding) {
  constexpr Case kCases[] = {
      {"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "bad_framing (Transfer-Encoding tog"},
      {"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "bad_framing (Transfer-Encoding tog"},
      {"Transfer-Encoding: identity\r\nContent-Length: 5\r\n",
       "bad_framing (Transfer-Encoding tog"},
      {"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "bad_framing (more"},
      {"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "bad_framing (more"},
      {"Transfer-Encoding:\r\nTransfer-Encoding: chunked\r\n", "bad_framing (more"},
      {"Transfer-Encoding:\r\n", "bad_framing ("},
      {"Transfer-Encoding: chunked, chunked\r\n", "bad_framing ("},
      {"Transfer-Encoding: chunked, gzip\r\n", "bad_framing ("},
      {"Transfer-Encoding: chunked, identity\r\n", "bad_framing ("},
      {"Transfer-Encoding: chunked,\r\n", "bad_framing ("},
      {"Transfer-Encoding: gzip,\r\n", "bad_framing ("},
      {"Transfer-Encoding: gzip, chunked,\r\n", "bad_framing ("},
      {"Transfer-Encoding: ,chunked\r\n", "bad_framing ("},
      {"Transfer-Encoding: , chunked\r\n", "bad_framing ("},
      {"Transfer-Encoding: gzip,,chunked\r\n", "bad_framing ("},
      {"Transfer-Encoding: chunked;q=1\r\n", "bad_framing ("},
      {"Transfer-Encoding: \"chunked\"\r\n", "bad_framing ("},
      {"Transfer-Encoding: chunked chunked\r\n", "bad_framing ("},
      {"Transfer-Encoding: chunk ed\r\n", "bad_framing ("},
      {"Transfer-Encoding: chunked\xff\r\n", "bad_framing ("},
      {"Transfer-Encoding: xchunked\r\n", "not_implemented ("},
      {"Transfer-Encoding: chunkedx\r\n", "not_implemented ("},
      {"Transfer-Encoding: chunke\r\n", "not_implemented ("},
      {"Transfer-Encoding: identity\r\n", "not_implemented ("},
      {"Transfer-Encoding: gzip\r\n", "not_implemented ("},
      {"Transfer-Encoding: gzip, chunked\r\n", "not_implemented ("},
      {"Transfer-Encoding: identity, chunked\r\n", "not_implemented ("},
      {"Transfer-Encoding: \x0b"
       "chunked\r\n",
       "bad_header ("},
      {"Transfer-Encoding: chunked\x0b\r\n", "bad_header ("},
      {"Transfer-Encoding: chunked\x0c\r\n", "bad_header ("},
      {"Transfer-Encoding: chunked\0\r\n"sv, "bad_header ("},
      {"Transfer-Encoding: chunked\r\r\n", "bad_header ("},
      {"Transfer-Encoding : chunked\r\n", "bad_header (white space between"},
      {"Transfer-Encoding\t: chunked\r\n", "bad_header (white space between"},
      {" Transfer-Encoding: chunked\r\n", "bad_header (folded"},
      {"Transfer-Encoding:\r\n chunked\r\n", "bad_header (folded"},
      {"Transfer\x0b-Encoding: chunked\r\n", "bad_header ("},
      {"Transfer_Encoding: chunked\r\n", "bad_header (underscore"},
      {"Content_Length: 5\r\n", "bad_header (underscore"},
  };
  for (const Case& c : kCases) {
    EXPECT_THAT(replay_fields(c.fields), StartsWith(std::string(c.outcome))) << c.fields;
  }
}

TEST(RequestFraming, RefusesTransferEncodingInHttp10) {
  EXPECT_THAT(replay_request("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
              StartsWith("bad_framing (Transfer-Encoding in HTTP/1.0"));
  EXPECT_EQ(replay_request("POST / HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc"),
            "POST / 1.0 , length 3, close +abc");
}

}  // namespace
}  // namespace hangu::codec::http1::test
