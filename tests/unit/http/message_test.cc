#include "hangu/http/message.h"

#include <gtest/gtest.h>

#include "tests/unit/http/memory.h"

namespace hangu::http {
namespace {

TEST(MessageTest, ARequestHeadIsAsNewAfterReset) {
  test::Memory memory;
  RequestHead head;
  head.reset(memory.arena());
  head.method = Method::kOther;
  head.version = Version::kHttp10;
  head.framing = BodyFraming::kChunked;
  head.keep_alive = head.expect_continue = head.upgrade = head.has_query = true;
  head.port = 80;
  head.content_length = 1;
  head.method_text = head.target = head.path = head.query = head.authority = head.host = "x";
  head.headers.add("Host", "x");
  head.reset(memory.arena());
  EXPECT_EQ(head.method, Method::kGet);
  EXPECT_EQ(head.version, Version::kHttp11);
  EXPECT_EQ(head.framing, BodyFraming::kNone);
  EXPECT_FALSE(head.keep_alive || head.expect_continue || head.upgrade || head.has_query);
  EXPECT_EQ(head.port, 0);
  EXPECT_EQ(head.content_length, 0U);
  for (const auto text :
       {head.method_text, head.target, head.path, head.query, head.authority, head.host}) {
    EXPECT_TRUE(text.empty());
  }
  EXPECT_TRUE(head.headers.empty());
}

TEST(MessageTest, AResponseHeadIsAsNewAfterReset) {
  test::Memory memory;
  ResponseHead head;
  head.reset(memory.arena());
  head.status = 101;
  head.version = Version::kHttp10;
  head.framing = BodyFraming::kUntilClose;
  head.keep_alive = head.upgrade = true;
  head.content_length = 1;
  head.reason = "x";
  head.headers.add("Age", "x");
  head.reset(memory.arena());
  EXPECT_EQ(head.status, 0);
  EXPECT_EQ(head.version, Version::kHttp11);
  EXPECT_EQ(head.framing, BodyFraming::kNone);
  EXPECT_FALSE(head.keep_alive || head.upgrade);
  EXPECT_EQ(head.content_length, 0U);
  EXPECT_TRUE(head.reason.empty());
  EXPECT_TRUE(head.headers.empty());
}

}  // namespace
}  // namespace hangu::http
