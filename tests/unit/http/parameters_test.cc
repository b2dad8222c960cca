#include "hangu/http/parameters.h"

#include <gtest/gtest.h>

#include "hangu/buffer/arena.h"

namespace hangu::http {
namespace {

TEST(QueryParameter, FindsTheFirstOfItsName) {
  EXPECT_EQ(query_parameter("a=1&b=2&a=3", "a"), "1");
  EXPECT_EQ(query_parameter("a=1&b=2", "b"), "2");
  EXPECT_EQ(query_parameter("a&b=", "a"), "");
  EXPECT_EQ(query_parameter("a&b=", "b"), "");
  EXPECT_EQ(query_parameter("x=a=b", "x"), "a=b");
  for (const char* query : {"", "ab=1", "b=a", "&&", "=a", "A=1"}) {
    EXPECT_EQ(query_parameter(query, "a"), std::nullopt) << query;
  }
}

TEST(Cookie, FindsTheFirstOfItsName) {
  buffer::BlockPool small({.block_bytes = 2048, .blocks_max = 4});
  buffer::BlockPool large({.block_bytes = 16384, .blocks_max = 4});
  buffer::Arena arena(small, large);
  HeaderBlock headers;
  headers.reset(arena);
  EXPECT_EQ(cookie(headers, "a"), std::nullopt);
  ASSERT_TRUE(headers.add(HeaderName::kCookie, "x=1; sid=abc;y=2"));
  ASSERT_TRUE(headers.add(HeaderName::kCookie, "sid=other; z=\"q\""));
  EXPECT_EQ(cookie(headers, "sid"), "abc");
  EXPECT_EQ(cookie(headers, "y"), "2");
  EXPECT_EQ(cookie(headers, "z"), "\"q\"");
  EXPECT_EQ(cookie(headers, "id"), std::nullopt);
}

}  // namespace
}  // namespace hangu::http
