#include "hangu/stats/registry.h"

#include <thread>

#include <gtest/gtest.h>

namespace hangu::stats {
namespace {

TEST(Registry, SameNameIsTheSameStatistics) {
  Registry registry(2);
  const auto first = registry.route("a");
  first->slot(1).request_bytes.add(5);
  EXPECT_EQ(registry.route("a"), first);
  EXPECT_NE(registry.route("b"), first);
  EXPECT_EQ(registry.routes().at("a")->slots()[1].request_bytes.value(), 5U);
}

TEST(Registry, PruneForgetsWhatNobodyHolds) {
  Registry registry(1);
  const auto kept = registry.upstream("kept");
  static_cast<void>(registry.upstream("gone"));
  registry.prune();
  EXPECT_EQ(registry.upstreams().size(), 1U);
  EXPECT_TRUE(registry.upstreams().contains("kept"));
}

/// Routes are many: only those that somebody said were removed are looked at.
TEST(Registry, PruneForgetsRemovedRoutesOnceTheyAreIdle) {
  Registry registry(1);
  const auto stays = registry.route("stays");
  auto goes = registry.route("goes");
  registry.route_removed("goes");
  registry.prune();
  EXPECT_TRUE(registry.routes().contains("goes"));  // a request still has it
  goes.reset();
  registry.prune();
  EXPECT_FALSE(registry.routes().contains("goes"));
  EXPECT_TRUE(registry.routes().contains("stays"));
  registry.route_removed("stays");
  registry.prune();
  EXPECT_EQ(registry.route("stays"), stays);
}

TEST(PerShard, SlotsAreOnLinesOfTheirOwn) {
  RouteStats stats(2);
  const auto distance = reinterpret_cast<const char*>(&stats.slots()[1]) -
                        reinterpret_cast<const char*>(&stats.slots()[0]);
  EXPECT_EQ(distance % static_cast<ptrdiff_t>(kCacheLine), 0);
}

TEST(Counter, OneWritesWhileOthersRead) {
  Counter counter;
  std::thread writer([&] {
    for (int i = 0; i < 100'000; ++i) {
      counter.add();
    }
  });
  uint64_t last = 0;
  while (last < 100'000) {
    const uint64_t now = counter.value();
    ASSERT_GE(now, last);
    last = now;
  }
  writer.join();
}

TEST(LabelledCounters, BoundsTheLabels) {
  LabelledCounters counters;
  std::vector<std::string> names;
  for (size_t i = 0; i < LabelledCounters::kLabelsMax + 3; ++i) {
    names.push_back("code." + std::to_string(i));
  }
  for (const std::string& name : names) {
    counters.add(name);
  }
  counters.add("code.0");
  size_t labels = 0;
  uint64_t first = 0;
  uint64_t other = 0;
  counters.for_each([&](std::string_view label, uint64_t count) {
    ++labels;
    first = label == "code.0" ? count : first;
    other = label == "other" ? count : other;
  });
  EXPECT_EQ(labels, LabelledCounters::kLabelsMax + 1);
  EXPECT_EQ(first, 2U);
  EXPECT_EQ(other, 3U);
}

}  // namespace
}  // namespace hangu::stats
