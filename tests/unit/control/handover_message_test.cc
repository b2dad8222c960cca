// What a process and its successor say to each other.
#include "control/handover_message.h"

#include <gtest/gtest.h>

namespace hangu::control {
namespace {

using Kind = HandoverMessage::Kind;

TEST(HandoverMessage, ComesAsItWent) {
  for (int kind = 0; kind <= static_cast<int>(Kind::kFailed); ++kind) {
    const HandoverMessage message{.kind = static_cast<Kind>(kind),
                                  .facts = {{"pid", "17"}, {"audit", "/var/a=b.log"}},
                                  .text = "line one\n\nline three"};
    const auto read = decode_handover(encode(message));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->kind, message.kind);
    EXPECT_EQ(read->facts, message.facts);
    EXPECT_EQ(read->text, message.text);
    EXPECT_EQ(read->fact("none"), "");
  }
}

TEST(HandoverMessage, AFactIsOneLine) {
  const auto read =
      decode_handover(encode({.kind = Kind::kHello, .facts = {{"a", "x\nb=y"}}, .text = {}}));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->fact("a"), "x b=y");
  EXPECT_EQ(read->fact("b"), "");
}

TEST(HandoverMessage, AnythingElseIsNone) {
  for (const char* text : {"", "hello", "hangu-upgrade 2\nhello\n\n", "hangu-upgrade 1\nsing\n\n",
                           "hangu-upgrade 1\nhello\nno fact\n\n"}) {
    EXPECT_FALSE(decode_handover(text)) << text;
  }
}

}  // namespace
}  // namespace hangu::control
