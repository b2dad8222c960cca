#include "hangu/http/field_list.h"

#include <gtest/gtest.h>

#include "tests/unit/http/memory.h"

namespace hangu::http {
namespace {

TEST(FieldListTest, FindsAnElementWhereverItStands) {
  test::Memory memory;
  HeaderBlock headers(memory.arena());
  headers.add(HeaderName::kCacheControl, "public, max-age=60");
  headers.add(HeaderName::kCacheControl, " No-Transform ;x");
  EXPECT_TRUE(list_contains(headers, HeaderName::kCacheControl, "no-transform"));
  EXPECT_TRUE(list_contains(headers, HeaderName::kCacheControl, "max-age"));
  EXPECT_FALSE(list_contains(headers, HeaderName::kCacheControl, "max"));
  EXPECT_FALSE(list_contains(headers, HeaderName::kVary, "public"));
}

TEST(FieldListTest, VaryIsSaidOnce) {
  test::Memory memory;
  HeaderBlock headers(memory.arena());
  add_vary(headers, "Origin");
  add_vary(headers, "Origin");
  add_vary(headers, "Accept-Encoding");
  EXPECT_EQ(headers.size(), 2U);
  HeaderBlock all(memory.arena());
  all.add(HeaderName::kVary, "*");
  add_vary(all, "Origin");
  EXPECT_EQ(all.size(), 1U);
}

}  // namespace
}  // namespace hangu::http
