#include "hangu/base/shared_list.h"

#include <memory>
#include <string>

#include <gtest/gtest.h>

namespace hangu {
namespace {

SharedList<int> numbers(int count) {
  SharedList<int> list;
  for (int i = 0; i < count; ++i) {
    list.push_back(i);
  }
  return list;
}

TEST(SharedList, HoldsWhatWasAppended) {
  const SharedList<int> list = numbers(1000);
  EXPECT_EQ(list.size(), 1000U);
  int expected = 0;
  for (const int number : list) {
    EXPECT_EQ(number, expected++);
  }
  EXPECT_EQ(expected, 1000);
  EXPECT_EQ(list.back(), 999);
  EXPECT_TRUE(SharedList<int>().empty());
}

TEST(SharedList, AChangeIsOfOneCopyAndOnePage) {
  const SharedList<int> before = numbers(1000);
  SharedList<int> after = before;
  after.set(300, std::make_shared<const int>(-1));
  EXPECT_EQ(before[300], 300);
  EXPECT_EQ(after[300], -1);
  EXPECT_TRUE(after.shares_page(before, 0));
  EXPECT_FALSE(after.shares_page(before, 300));
  EXPECT_TRUE(after.shares_page(before, 999));
  EXPECT_EQ(after.item(301), before.item(301));  // in another page, and the same object
}

TEST(SharedList, AppendingLeavesCopiesAlone) {
  SharedList<int> list = numbers(10);
  const SharedList<int> copy = list;
  list.push_back(10);
  EXPECT_EQ(copy.size(), 10U);
  EXPECT_EQ(list.size(), 11U);
  EXPECT_EQ(list[10], 10);
}

TEST(SharedList, ComparesValues) {
  EXPECT_EQ(numbers(600), numbers(600));
  EXPECT_FALSE(numbers(600) == numbers(599));
  SharedList<int> other = numbers(600);
  other.set(599, std::make_shared<const int>(0));
  EXPECT_FALSE(numbers(600) == other);
}

}  // namespace
}  // namespace hangu
