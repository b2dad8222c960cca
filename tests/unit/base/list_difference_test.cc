// What lists of shared elements differ in, and what is kept of each page.
#include "hangu/base/list_difference.h"

#include <memory>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hangu/base/page_summaries.h"

namespace hangu {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

SharedList<int> numbers(int count) {
  SharedList<int> list;
  for (int i = 0; i < count; ++i) {
    list.push_back(i);
  }
  return list;
}

TEST(DifferingPlaces, AreThoseWithOtherObjects) {
  const SharedList<int> before = numbers(1000);
  SharedList<int> after = before;
  EXPECT_THAT(differing_places(before, after), IsEmpty());
  after.set(3, std::make_shared<const int>(3));  // the same value is another object
  after.set(255, std::make_shared<const int>(-1));
  after.set(999, std::make_shared<const int>(-1));
  EXPECT_THAT(differing_places(before, after), ElementsAre(3, 255, 999));
  EXPECT_THAT(differing_places(SharedList<int>(), SharedList<int>()), IsEmpty());
}

TEST(CommonEnds, AreOfTheSameObjectsAndCountNoneTwice) {
  const SharedList<int> before = numbers(600);
  SharedList<int> after = before;
  EXPECT_EQ(common_ends(before, after).front, 600U);
  EXPECT_EQ(common_ends(before, after).back, 0U);
  after.set(300, std::make_shared<const int>(-1));
  EXPECT_EQ(common_ends(before, after).front, 300U);
  EXPECT_EQ(common_ends(before, after).back, 299U);
  SharedList<int> longer = before;
  longer.push_back(600);
  EXPECT_EQ(common_ends(before, longer).front, 600U);
  EXPECT_EQ(common_ends(before, longer).back, 0U);
}

TEST(PlacesWhere, FollowsAListThatChanges) {
  PlacesWhere<int> places;
  const auto is_round = [](int number) { return number % 100 == 0; };
  SharedList<int> list = numbers(301);
  EXPECT_THAT(places.update(list, is_round), ElementsAre(0, 100, 200, 300));
  list.set(5, std::make_shared<const int>(500));
  list.set(300, std::make_shared<const int>(1));
  EXPECT_THAT(places.update(list, is_round), ElementsAre(0, 5, 100, 200));
}

class PageSummariesTest : public ::testing::Test {
 protected:
  int sum(const SharedList<int>& list) {
    looked_at_.clear();
    int all = 0;
    for (const int part : sums_.update(list, [&](size_t begin, size_t end) {
           looked_at_.emplace_back(begin, end);
           int one = 0;
           for (size_t at = begin; at < end; ++at) {
             one += list[at];
           }
           return one;
         })) {
      all += part;
    }
    return all;
  }

  PageSummaries<int, int> sums_;
  std::vector<std::pair<size_t, size_t>> looked_at_;
};

TEST_F(PageSummariesTest, OnlyPagesThatDifferAreLookedAt) {
  SharedList<int> list = numbers(600);
  EXPECT_EQ(sum(list), 600 * 599 / 2);
  EXPECT_EQ(looked_at_.size(), 3U);
  const SharedList<int> before = list;
  list.set(300, std::make_shared<const int>(0));
  EXPECT_EQ(sum(list), 600 * 599 / 2 - 300);
  EXPECT_THAT(looked_at_, ElementsAre(std::pair<size_t, size_t>(256, 512)));
  EXPECT_EQ(sum(list), 600 * 599 / 2 - 300);
  EXPECT_THAT(looked_at_, IsEmpty());
  EXPECT_EQ(sum(before), 600 * 599 / 2);
}

TEST_F(PageSummariesTest, ListsMayGrowAndShrink) {
  SharedList<int> list = numbers(300);
  const SharedList<int> shorter = list;
  EXPECT_EQ(sum(list), 300 * 299 / 2);
  list.push_back(300);
  EXPECT_EQ(sum(list), 301 * 300 / 2);
  EXPECT_THAT(looked_at_, ElementsAre(std::pair<size_t, size_t>(256, 301)));
  EXPECT_EQ(sum(shorter), 300 * 299 / 2);
  EXPECT_EQ(sum(SharedList<int>()), 0);
  EXPECT_EQ(sum(numbers(2)), 1);
}

}  // namespace
}  // namespace hangu
