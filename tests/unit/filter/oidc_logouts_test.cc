#include "hangu/filter/oidc_logouts.h"

#include <vector>

#include <gtest/gtest.h>

namespace hangu::filter {
namespace {

using Outcome = OidcLogouts::Outcome;

constexpr int64_t kNow = 1'700'000'000;

OidcLogouts::End end_of(std::string_view subject, std::string_view sid, std::string_view token) {
  return {
      .subject = subject, .sid = sid, .token = token, .token_until_s = kNow + 180, .keep_s = 3600};
}

OidcLogouts::Options options_for(size_t entries, LogoutListener* listener = nullptr) {
  return {
      .entries_max = entries, .now_s = kNow, .seed = 7, .scope = {1, 2, 3}, .listener = listener};
}

TEST(OidcLogouts, ASessionIsKnownByItsNumberAndBySomebodysName) {
  OidcLogouts logouts(options_for(1024));
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
  OidcLogouts logouts(options_for(1024));
  EXPECT_EQ(logouts.end(end_of("ann", "s1", "t1"), kNow), Outcome::kEnded);
  EXPECT_EQ(logouts.end(end_of("ann", "s1", "t1"), kNow + 1), Outcome::kReplay);
  EXPECT_EQ(logouts.end(end_of("ann", "s1", "t2"), kNow + 1), Outcome::kEnded);
}

TEST(OidcLogouts, HasRoomForAsManyTokensAsItSays) {
  constexpr size_t kCount = 65'536;
  OidcLogouts logouts(options_for(kCount));
  size_t taken = 0;
  while (taken < kCount &&
         logouts.end(end_of("ann", "", std::to_string(taken)), kNow) == Outcome::kEnded) {
    ++taken;
  }
  EXPECT_EQ(taken, kCount);
}

/// Of a node with a shorter `lifetime`, or a clock that is ahead.
TEST(OidcLogouts, WhatIsKeptShorterMakesNoRoomByWhatIsKeptLonger) {
  OidcLogouts logouts(options_for(1024));
  constexpr int kPeople = 200;
  const auto name = [](int number) { return "person " + std::to_string(number); };
  for (int i = 0; i < kPeople; ++i) {
    ASSERT_EQ(logouts.end(end_of(name(i), "", std::to_string(i)), kNow), Outcome::kEnded);
  }
  for (uint8_t high = 0; high < 20; ++high) {
    for (uint8_t low = 0; low < 250; ++low) {
      logouts.take({.scope = logouts.scope(),
                    .digest = {high, low},
                    .at_s = kNow + 200,
                    .until_s = kNow + 201},
                   kNow);
    }
  }
  for (int i = 0; i < kPeople; ++i) {
    EXPECT_TRUE(logouts.ended(logouts.keys_of(name(i), ""), kNow)) << i;
  }
}

TEST(OidcLogouts, NothingIsKeptForeverWhateverOthersSay) {
  const identity::LogoutEntry entry =
      identity::bounded({.at_s = INT64_MAX, .until_s = INT64_MAX}, kNow);
  EXPECT_LE(entry.at_s, kNow + 300);
  EXPECT_EQ(entry.until_s, kNow + identity::kLogoutKeptMaxS);

  struct Heard final : LogoutListener {
    void on_ended(std::span<const identity::LogoutEntry> entries) noexcept override {
      all.insert(all.end(), entries.begin(), entries.end());
    }

    std::vector<identity::LogoutEntry> all;
  } heard;

  OidcLogouts logouts(options_for(1024, &heard));
  OidcLogouts::End end = end_of("ann", "s1", "t1");
  end.token_until_s = kNow * 1000;  // milliseconds
  EXPECT_EQ(logouts.end(end, kNow), Outcome::kEnded);
  for (const identity::LogoutEntry& each : heard.all) {
    EXPECT_LE(each.until_s, kNow + identity::kLogoutKeptMaxS);
  }
  EXPECT_EQ(heard.all.size(), 3U);
}

TEST(OidcLogouts, ANumberedSessionIsOverByWhicheverClock) {
  OidcLogouts logouts(options_for(1024));
  EXPECT_EQ(logouts.end(end_of("ann", "s1", "t1"), kNow), Outcome::kEnded);
  EXPECT_TRUE(logouts.ended(logouts.keys_of("ann", "s1"), kNow + 60));
  EXPECT_FALSE(logouts.ended(logouts.keys_of("ann", ""), kNow + 60));
}

TEST(OidcLogouts, SaysWhenThereIsNoRoom) {
  OidcLogouts logouts(options_for(1024));
  Outcome last = Outcome::kEnded;
  for (int i = 0; i < 10'000 && last == Outcome::kEnded; ++i) {
    const std::string name = std::to_string(i);
    last = logouts.end(end_of("", name, name), kNow);
  }
  EXPECT_EQ(last, Outcome::kFull);
}

TEST(OidcLogouts, ATokenThatFoundNoRoomIsGoodLater) {
  OidcLogouts logouts(options_for(1024));
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

struct Heard final : LogoutListener {
  void on_ended(std::span<const identity::LogoutEntry> entries) noexcept override {
    all.insert(all.end(), entries.begin(), entries.end());
  }

  std::vector<identity::LogoutEntry> all;
};

TEST(OidcLogouts, AnotherLearnsWhatOneHasHeard) {
  Heard heard;
  OidcLogouts one(options_for(1024, &heard));
  OidcLogouts other(options_for(4096));
  const auto numbered = other.keys_of("ann", "s1");
  const auto nameless = other.keys_of("ann", "");
  EXPECT_EQ(one.end(end_of("ann", "s1", "t1"), kNow), Outcome::kEnded);
  EXPECT_EQ(one.end(end_of("ann", "s1", "t1"), kNow), Outcome::kReplay);
  ASSERT_EQ(heard.all.size(), 3U);
  for (const identity::LogoutEntry& entry : heard.all) {
    EXPECT_TRUE(other.take(entry, kNow + 100));
  }
  EXPECT_TRUE(other.ended(numbered, kNow + 100));
  EXPECT_TRUE(other.ended(nameless, kNow));
  EXPECT_FALSE(other.ended(nameless, kNow + 1));  // it began later, although it was told late
  EXPECT_EQ(other.end(end_of("ann", "s1", "t1"), kNow + 100), Outcome::kReplay);
}

TEST(OidcLogouts, WhatIsOverTakesNoRoom) {
  Heard heard;
  OidcLogouts one(options_for(1024, &heard));
  EXPECT_EQ(one.end(end_of("ann", "", "t1"), kNow), Outcome::kEnded);
  OidcLogouts other(options_for(1024));
  for (const identity::LogoutEntry& entry : heard.all) {
    EXPECT_TRUE(other.take(entry, kNow + 3601));
  }
  EXPECT_FALSE(other.ended(other.keys_of("ann", "s1"), kNow));
}

TEST(OidcLogouts, AuthenticatorsKnowNothingOfEachOther) {
  config::OidcAuth config;
  config.id_token.issuer = "https://id.example";
  const identity::Digest scope = OidcLogouts::scope_of("web", config);
  EXPECT_EQ(scope, OidcLogouts::scope_of("web", config));
  EXPECT_NE(scope, OidcLogouts::scope_of("intern", config));
  config.id_token.issuer = "https://id2.example";
  EXPECT_NE(scope, OidcLogouts::scope_of("web", config));
}

}  // namespace
}  // namespace hangu::filter
