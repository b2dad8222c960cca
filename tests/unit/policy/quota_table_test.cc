#include "hangu/policy/quota_table.h"

#include <ctime>
#include <map>
#include <random>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "hangu/policy/calendar.h"

namespace hangu::policy {
namespace {

using config::Quota;
using config::QuotaPeriod;

/// Unix time of a time in UTC.
int64_t at(int year, int month, int day, int hour = 0, int minute = 0, int second = 0) {
  std::tm time{};
  time.tm_year = year - 1900;
  time.tm_mon = month - 1;
  time.tm_mday = day;
  time.tm_hour = hour;
  time.tm_min = minute;
  time.tm_sec = second;
  return ::timegm(&time);
}

TEST(Calendar, ADayEndsAtMidnightOfLocalTime) {
  const Quota utc{.limit = 1};
  const Quota beijing{.limit = 1, .offset_minutes = 8 * 60};
  const Quota newfoundland{.limit = 1, .offset_minutes = -(3 * 60 + 30)};
  const int64_t now = at(2026, 11, 26, 17);
  EXPECT_EQ(calendar_window(utc, now).ends_at_s, at(2026, 11, 27));
  EXPECT_EQ(calendar_window(beijing, now).ends_at_s, at(2026, 11, 27, 16));
  EXPECT_EQ(calendar_window(newfoundland, now).ends_at_s, at(2026, 11, 27, 3, 30));
  EXPECT_EQ(calendar_window(beijing, now).number, calendar_window(utc, now).number + 1);
}

TEST(Calendar, MonthsHaveTheirLengths) {
  const Quota utc{.limit = 1, .per = QuotaPeriod::kMonth};
  const Quota beijing{.limit = 1, .per = QuotaPeriod::kMonth, .offset_minutes = 8 * 60};
  EXPECT_EQ(calendar_window(utc, at(2028, 2, 1)).ends_at_s, at(2028, 3, 1));
  EXPECT_EQ(calendar_window(utc, at(2027, 2, 28, 23, 59, 59)).ends_at_s, at(2027, 3, 1));
  EXPECT_EQ(calendar_window(utc, at(2026, 12, 31, 23)).ends_at_s, at(2027, 1, 1));
  EXPECT_EQ(calendar_window(beijing, at(2026, 12, 31, 16)).ends_at_s, at(2027, 1, 31, 16));
  EXPECT_EQ(calendar_window(beijing, at(2026, 12, 31, 15, 59, 59)).ends_at_s, at(2026, 12, 31, 16));
}

TEST(Calendar, EachWindowBeginsWhereTheLastEnds) {
  for (const QuotaPeriod per : {QuotaPeriod::kDay, QuotaPeriod::kMonth}) {
    for (const int32_t offset : {-720, -210, 0, 345, 480, 840}) {
      const Quota quota{.limit = 1, .per = per, .offset_minutes = offset};
      CalendarWindow window = calendar_window(quota, at(2024, 1, 15));
      for (int i = 0; i < 800 && window.ends_at_s < at(2100, 1, 1); ++i) {
        const CalendarWindow last = calendar_window(quota, window.ends_at_s - 1);
        const CalendarWindow next = calendar_window(quota, window.ends_at_s);
        ASSERT_EQ(last.number, window.number);
        ASSERT_EQ(last.ends_at_s, window.ends_at_s);
        ASSERT_EQ(next.number, window.number + 1);
        window = next;
      }
    }
  }
}

TEST(QuotaTable, CountsUpToTheLimitInEachWindow) {
  QuotaTable table(100);
  for (const uint32_t window : {5U, 6U, 9U}) {
    for (uint64_t used = 3; used <= 9; used += 3) {
      const QuotaTable::Taken taken = table.take(7, window, 10, 3);
      EXPECT_TRUE(taken.allowed);
      EXPECT_EQ(taken.used, used);
    }
    EXPECT_FALSE(table.take(7, window, 10, 3).allowed);
    EXPECT_TRUE(table.take(7, window, 10, 1).allowed);
    EXPECT_TRUE(table.take(8, window, 10, 10).allowed);
  }
}

TEST(QuotaTable, AClockSetBackGivesNothingAnew) {
  QuotaTable table(100);
  EXPECT_TRUE(table.take(7, 6, 2, 2).allowed);
  EXPECT_FALSE(table.take(7, 5, 2, 1).allowed);
  EXPECT_FALSE(table.take(7, 6, 2, 1).allowed);
}

TEST(QuotaTable, GivesBackAndCharges) {
  QuotaTable table(100);
  EXPECT_TRUE(table.take(7, 6, 5, 5).allowed);
  table.give_back(7, 6, 2);
  EXPECT_EQ(table.probe(7, 6, 5, 2).used, 3U);
  EXPECT_TRUE(table.probe(7, 6, 5, 2).allowed);
  table.charge(7, 6, 100);
  EXPECT_FALSE(table.probe(7, 6, 5, 1).allowed);
  EXPECT_EQ(table.probe(7, 6, 5, 1).used, 103U);
  table.charge(7, 6, UINT64_MAX);  // no overflow
  EXPECT_FALSE(table.probe(7, 6, 5, 1).allowed);
  EXPECT_TRUE(table.probe(7, 7, 5, 1).allowed);
}

TEST(QuotaTable, ListsWhatWasUsedInAWindow) {
  QuotaTable table(1000);
  std::map<uint64_t, uint64_t> expected;
  std::mt19937_64 random(5);
  for (int i = 0; i < 500; ++i) {
    const uint64_t key = random();
    expected[key] = 1 + random() % 100;
    table.charge(key, 6, expected[key]);
    table.charge(random(), 5, 1);
  }
  std::map<uint64_t, uint64_t> listed;
  table.for_each(6, [&](uint64_t key, uint64_t used) { listed[key] = used; });
  EXPECT_EQ(listed, expected);
}

TEST(QuotaTable, ChurnIsBoundedAndFreesPlacesWithTheWindow) {
  QuotaTable table(1000);
  std::mt19937_64 random(6);
  size_t allowed = 0;
  size_t shared = 0;
  for (int i = 0; i < 100'000; ++i) {
    const QuotaTable::Taken taken = table.take(random(), 6, 1, 1);
    allowed += taken.allowed ? 1 : 0;
    shared += taken.shared ? 1 : 0;
  }
  EXPECT_LE(allowed, 2049U);
  EXPECT_GE(shared, 97'952U);
  EXPECT_FALSE(table.take(random(), 7, 1, 1).shared);
}

TEST(QuotaTable, ThreadsCountTogether) {
  QuotaTable table(16);
  ASSERT_TRUE(table.take(5, 6, 10'000, 1).allowed);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      while (table.take(5, 6, 10'000, 1).allowed) {
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(table.probe(5, 6, 10'000, 1).used, 10'000U);
}

}  // namespace
}  // namespace hangu::policy
