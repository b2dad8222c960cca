// One asks, all hear: from one thread, and from several at once.
#include "hangu/identity/refresh_board.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace hangu::identity {
namespace {

using Found = RefreshBoard::Found;

Digest digest_of(uint32_t number) {
  Digest digest{};
  EXPECT_TRUE(compute_digest(DigestKind::kSha256, std::to_string(number), digest));
  return digest;
}

struct Board {
  RefreshBoard board;
  std::string text;

  Found look(uint32_t number, int64_t now_s) {
    return board.look(digest_of(number), now_s, 10, text);
  }
};

TEST(RefreshBoardTest, OneAsksAndTheOthersHear) {
  Board one;
  EXPECT_EQ(one.look(1, 100), Found::kClaimed);
  EXPECT_EQ(one.look(1, 100), Found::kAsked);
  one.board.tell(digest_of(1), "what has come of it", 160);
  EXPECT_EQ(one.look(1, 159), Found::kText);
  EXPECT_EQ(one.text, "what has come of it");
  EXPECT_EQ(one.look(1, 160), Found::kClaimed);  // forgotten
}

TEST(RefreshBoardTest, ARefusalIsHeardOfToo) {
  Board one;
  EXPECT_EQ(one.look(1, 100), Found::kClaimed);
  one.board.tell(digest_of(1), "", 105);
  EXPECT_EQ(one.look(1, 104), Found::kRefused);
  EXPECT_EQ(one.look(1, 105), Found::kClaimed);
}

TEST(RefreshBoardTest, WhatIsGivenBackTheNextOneAsks) {
  Board one;
  EXPECT_EQ(one.look(1, 100), Found::kClaimed);
  one.board.give_back(digest_of(1));
  EXPECT_EQ(one.look(1, 100), Found::kClaimed);
  EXPECT_EQ(one.look(1, 110), Found::kClaimed);  // nobody gave it back
}

TEST(RefreshBoardTest, WhoHasNoClaimTellsNothing) {
  Board one;
  one.board.tell(digest_of(1), "x", 200);
  one.board.give_back(digest_of(1));
  EXPECT_EQ(one.look(1, 100), Found::kClaimed);
  one.board.tell(digest_of(1), "first", 200);
  one.board.tell(digest_of(1), "second", 200);
  EXPECT_EQ(one.look(1, 100), Found::kText);
  EXPECT_EQ(one.text, "first");
  one.board.give_back(digest_of(1));
  EXPECT_EQ(one.look(1, 100), Found::kText);
}

TEST(RefreshBoardTest, APlaceIsOneSessionsAtATime) {
  Board one;
  std::vector<uint32_t> claimed;
  for (uint32_t number = 0; number < 1000; ++number) {
    const Found found = one.look(number, 100);
    EXPECT_TRUE(found == Found::kClaimed || found == Found::kNoPlace);
    if (found == Found::kClaimed) {
      claimed.push_back(number);
    }
  }
  EXPECT_EQ(claimed.size(), RefreshBoard::kPlaces);
  for (const uint32_t number : claimed) {
    one.board.tell(digest_of(number), std::string(number % 100, 'a') + std::to_string(number), 200);
  }
  for (const uint32_t number : claimed) {
    EXPECT_EQ(one.look(number, 150), Found::kText);
    EXPECT_EQ(one.text, std::string(number % 100, 'a') + std::to_string(number));
  }
}

TEST(RefreshBoardTest, TextsOfEverySizeThatCookiesHold) {
  Board one;
  for (const size_t size :
       {size_t{1}, size_t{7}, size_t{8}, size_t{9}, size_t{4097}, RefreshBoard::kTextBytesMax}) {
    const auto number = static_cast<uint32_t>(size);
    EXPECT_EQ(one.look(number, 100), Found::kClaimed);
    one.board.tell(digest_of(number), std::string(size, 'x'), 101);
    EXPECT_EQ(one.look(number, 100), Found::kText);
    EXPECT_EQ(one.text, std::string(size, 'x'));
  }
}

TEST(RefreshBoardTest, ThreadsNeverHearOfAnotherOneOrOfHalf) {
  constexpr uint32_t kSessions = 256;  // four a place
  constexpr int64_t kRounds = 60;
  RefreshBoard board;
  std::vector<Digest> digests;
  for (uint32_t number = 0; number < kSessions; ++number) {
    digests.push_back(digest_of(number));
  }
  std::atomic<size_t> wrong{0};
  std::atomic<size_t> heard{0};
  const auto work = [&](uint32_t seed) {
    std::string text;
    for (int64_t now_s = 1; now_s <= kRounds; ++now_s) {
      for (uint32_t i = 0; i < kSessions; ++i) {
        const uint32_t number = (i * 7 + seed) % kSessions;
        const std::string own(1 + number * 3, static_cast<char>('a' + number % 26));
        switch (board.look(digests[number], now_s, 1, text)) {
          case Found::kClaimed: board.tell(digests[number], own, now_s + 1); break;
          case Found::kText:
            heard += 1;
            wrong += text == own ? 0 : 1;
            break;
          default: break;
        }
      }
    }
  };
  std::vector<std::thread> threads;
  for (uint32_t seed = 0; seed < 4; ++seed) {
    threads.emplace_back(work, seed * 61);
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(wrong, 0U);
  EXPECT_GT(heard, 0U);
}

}  // namespace
}  // namespace hangu::identity
