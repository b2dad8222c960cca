#include "hangu/base/table_memory.h"

#include <cstdint>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace hangu {
namespace {

struct alignas(64) Part {
  uint64_t number = 0;
  char rest[200] = {};
};

TEST(TableMemory, PartsAreAlignedAndTheirOwn) {
  constexpr size_t kParts = 20'000;  // more than a large page holds
  std::vector<std::shared_ptr<Part>> parts;
  for (size_t i = 0; i < kParts; ++i) {
    parts.push_back(make_table_part<Part>(Part{.number = i}));
    ASSERT_EQ(reinterpret_cast<uintptr_t>(parts.back().get()) % alignof(Part), 0U);
  }
  for (size_t i = 0; i < kParts; ++i) {
    ASSERT_EQ(parts[i]->number, i);
  }
}

TEST(TableMemory, ArraysBeginAsMadeByDefault) {
  for (const size_t count : {1, 100, 100'000}) {
    const std::shared_ptr<Part[]> parts = make_table_array<Part>(count);
    for (size_t i = 0; i < count; ++i) {
      ASSERT_EQ(parts[i].number, 0U);
      parts[i].number = i + 1;
    }
  }
}

/// The last one to let go may be any thread.
TEST(TableMemory, ThreadsMakeAndGiveBackWhatOthersMade) {
  std::vector<std::shared_ptr<Part>> parts;
  for (size_t i = 0; i < 1000; ++i) {
    parts.push_back(make_table_part<Part>(Part{.number = i}));
  }
  std::vector<std::thread> threads;
  for (size_t number = 0; number < 3; ++number) {
    threads.emplace_back([&parts, number] {
      for (size_t i = number; i < parts.size(); i += 3) {
        parts[i] = make_table_part<Part>(Part{.number = 2 * i});
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  for (size_t i = 0; i < parts.size(); ++i) {
    EXPECT_EQ(parts[i]->number, 2 * i);
  }
}

}  // namespace
}  // namespace hangu
