#include "server/late_quotas.h"

#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace hangu::server {
namespace {

SavedQuota quota(std::string name, std::vector<std::pair<uint64_t, uint64_t>> used) {
  return {
      .name = std::move(name), .identity = "1", .seed = 7, .window = 9, .used = std::move(used)};
}

TEST(LateQuotas, AreWhatWasCountedSince) {
  const std::vector<SavedQuota> before = {quota("a", {{1, 10}, {2, 5}}), quota("b", {{1, 1}})};
  const std::vector<SavedQuota> now = {quota("a", {{2, 8}, {1, 10}, {3, 4}}), quota("b", {{1, 1}}),
                                       quota("c", {{1, 2}})};
  const std::vector<SavedQuota> late = {quota("a", {{2, 3}, {3, 4}}), quota("c", {{1, 2}})};
  EXPECT_EQ(counted_since(before, now), late);
  EXPECT_TRUE(counted_since(now, now).empty());
}

TEST(LateQuotas, OfOtherCountsAreAllNew) {
  const std::vector<SavedQuota> now = {quota("a", {{1, 10}})};
  std::vector<SavedQuota> others(4, now[0]);
  others[0].window = 8;
  others[1].seed = 8;
  others[2].identity = "2";
  others[3].name = "b";
  EXPECT_EQ(counted_since(others, now), now);
}

class LateQuotaFiles : public testing::Test {
 protected:
  LateQuotaFiles() {
    std::string name = (std::filesystem::temp_directory_path() / "hangu-quotas-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }

  ~LateQuotaFiles() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path folder_;
};

TEST_F(LateQuotaFiles, AreTakenOnce) {
  ASSERT_FALSE(leave_late_quotas(folder_, 0, {quota("a", {{1, 2}})}));
  ASSERT_FALSE(leave_late_quotas(folder_, 1, {quota("b", {{3, 4}}), quota("c", {{5, 6}})}));
  std::ofstream(folder_ / "quotas") << "the file of all others";
  std::vector<SavedQuota> taken = take_late_quotas(folder_);
  std::sort(taken.begin(), taken.end(),
            [](const SavedQuota& one, const SavedQuota& other) { return one.name < other.name; });
  const std::vector<SavedQuota> left = {quota("a", {{1, 2}}), quota("b", {{3, 4}}),
                                        quota("c", {{5, 6}})};
  EXPECT_EQ(taken, left);
  EXPECT_TRUE(take_late_quotas(folder_).empty());
  EXPECT_TRUE(std::filesystem::exists(folder_ / "quotas"));
}

TEST_F(LateQuotaFiles, ThatAreDamagedAreRemoved) {
  std::ofstream(folder_ / "1-0.late-quotas") << "HANGUQ01 and nonsense";
  ASSERT_FALSE(leave_late_quotas(folder_, 1, {quota("a", {{1, 2}})}));
  EXPECT_EQ(take_late_quotas(folder_).size(), 1u);
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

TEST_F(LateQuotaFiles, NeedNoFolder) {
  EXPECT_TRUE(take_late_quotas(folder_ / "none").empty());
  EXPECT_TRUE(leave_late_quotas(folder_ / "none", 0, {quota("a", {{1, 2}})}));
}

}  // namespace
}  // namespace hangu::server
