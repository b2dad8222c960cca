#include "hangu/filter/oidc_logouts.h"

#include <gtest/gtest.h>

namespace hangu::filter {
namespace {

using Outcome = OidcLogouts::Outcome;

constexpr int64_t kNow = 1'700'000'000;

OidcLogouts::End end_of(std::string_view subject, std::string_view sid, std::string_view token) {
  return {
      .subject = subject, .sid = sid, .token = token, .token_until_s = kNow + 180, .keep_s = 3600};
}

TEST(OidcLogouts, ASessionIsKnownByItsNumberAndBySomebodysName) {
  OidcLogouts logouts(1024, kNow, 7);
  const auto first = logouts.keys_of("ann", "s1");
  const auto second = logouts.keys_of("ann", "s2");
  const auto nameless = logouts.keys_of("ann", "");
  const auto other = logouts.keys_of("bob", "s3");
  EXPECT_EQ(logouts.end(end_of("ann", "s1", "t1"), kNow), Outcome::kEnded);
  EXPECT_TRUE(logouts.ended(first, kNow));
  EXPECT_FALSE(logouts.ended(second, kNow));
  EXPECT_TRUE(logouts.ended(nameless, kNow));  // it may be that one
  EXPECT_FALSE(logouts.ended(other, kNow));
  EXPECT_EQ(logouts.end(end_of("ann", "", "t2"), kNow + 5), Outcome::kEnded);
  EXPECT_TRUE(logouts.ended(second, kNow + 5));
  EXPECT_FALSE(logouts.ended(second, kNow + 6));
  EXPECT_FALSE(logouts.ended(other, kNow));
}

TEST(OidcLogouts, ATokenIsGoodOnce) {
  OidcLogouts logouts(1024, kNow, 7);
  EXPECT_EQ(logouts.end(end_of("ann", "s1", "t1"), kNow), Outcome::kEnded);
  EXPECT_EQ(logouts.end(end_of("ann", "s1", "t1"), kNow + 1), Outcome::kReplay);
  EXPECT_EQ(logouts.end(end_of("ann", "s1", "t2"), kNow + 1), Outcome::kEnded);
}

TEST(OidcLogouts, HasRoomForAsManyTokensAsItSays) {
  constexpr size_t kCount = 65'536;
  OidcLogouts logouts(kCount, kNow, 7);
  size_t taken = 0;
  while (taken < kCount &&
         logouts.end(end_of("ann", "", std::to_string(taken)), kNow) == Outcome::kEnded) {
    ++taken;
  }
  EXPECT_EQ(taken, kCount);
}

TEST(OidcLogouts, ANumberedSessionIsOverByWhicheverClock) {
  OidcLogouts logouts(1024, kNow, 7);
  EXPECT_EQ(logouts.end(end_of("ann", "s1", "t1"), kNow), Outcome::kEnded);
  EXPECT_TRUE(logouts.ended(logouts.keys_of("ann", "s1"), kNow + 60));
  EXPECT_FALSE(logouts.ended(logouts.keys_of("ann", ""), kNow + 60));
}

TEST(OidcLogouts, SaysWhenThereIsNoRoom) {
  OidcLogouts logouts(1024, kNow, 7);
  Outcome last = Outcome::kEnded;
  for (int i = 0; i < 10'000 && last == Outcome::kEnded; ++i) {
    const std::string name = std::to_string(i);
    last = logouts.end(end_of("", name, name), kNow);
  }
  EXPECT_EQ(last, Outcome::kFull);
}

TEST(OidcLogouts, ATokenThatFoundNoRoomIsGoodLater) {
  OidcLogouts logouts(1024, kNow, 7);
  int64_t now = kNow;
  std::string refused;
  for (int i = 0; i < 10'000 && refused.empty(); ++i) {
    now = kNow + i / 200 * 200;  // tokens are over before there are too many of them
    const std::string name = std::to_string(i);
    OidcLogouts::End end = end_of("", name, name);
    end.token_until_s = now + 180;
    if (logouts.end(end, now) == Outcome::kFull) {
      refused = name;
    }
  }
  ASSERT_FALSE(refused.empty());
  OidcLogouts::End again = end_of("", refused, refused);
  again.token_until_s = now + 10'000;
  EXPECT_EQ(logouts.end(again, now), Outcome::kFull);  // as before, not a replay
  // What the others have ended is over by then.
  EXPECT_EQ(logouts.end(again, now + 3700), Outcome::kEnded);
  EXPECT_EQ(logouts.end(again, now + 3700), Outcome::kReplay);
}

}  // namespace
}  // namespace hangu::filter
