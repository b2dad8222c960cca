#include "hangu/event/mailbox_group.h"

#include <vector>

#include <gtest/gtest.h>

namespace hangu::event {
namespace {

struct Member final : GroupMember {
  void on_group_message(uint32_t message) noexcept override { heard.push_back(message); }

  Mailbox mailbox;
  std::vector<uint32_t> heard;
};

class MailboxGroupTest : public testing::Test {
 protected:
  MailboxGroupTest() {
    for (uint32_t i = 0; i < 3; ++i) {
      group_.join(i, members_[i], members_[i].mailbox);
    }
  }

  MailboxGroup group_{3};
  Member members_[3];
};

TEST_F(MailboxGroupTest, AMemberHearsInItsOwnTurn) {
  group_.post(1, 7);
  EXPECT_TRUE(members_[1].heard.empty());
  members_[1].mailbox.run_all();
  EXPECT_EQ(members_[1].heard, std::vector<uint32_t>{7});
  members_[0].mailbox.run_all();
  EXPECT_TRUE(members_[0].heard.empty());
}

TEST_F(MailboxGroupTest, TellsAllOthers) {
  group_.post_to_others(1, 5);
  for (Member& member : members_) {
    member.mailbox.run_all();
  }
  EXPECT_EQ(members_[0].heard, std::vector<uint32_t>{5});
  EXPECT_TRUE(members_[1].heard.empty());
  EXPECT_EQ(members_[2].heard, std::vector<uint32_t>{5});
}

TEST_F(MailboxGroupTest, WhoHasLeftHearsNothing) {
  group_.leave(1);
  group_.post(1, 5);
  group_.post_to_others(0, 6);
  members_[1].mailbox.run_all();
  EXPECT_TRUE(members_[1].heard.empty());
}

}  // namespace
}  // namespace hangu::event
