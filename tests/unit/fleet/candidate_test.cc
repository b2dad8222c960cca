// Candidate: what stands on top of the store's documents on a node that a rollout covers.
#include "hangu/fleet/candidate.h"

#include <map>

#include <gtest/gtest.h>

namespace hangu::fleet {
namespace {

class CandidateTest : public ::testing::Test {
 protected:
  CandidateTest() {
    rollout_.id = "r1";
    rollout_.nodes = {"here"};
    rollout_.begun = true;
    rollout_.documents = {{"routes/a", "old", "new"},
                          {"routes/b", "old", std::nullopt},
                          {"routes/c", std::nullopt, "new"}};
    store({{"routes/a", "old"}, {"routes/b", "old"}, {"routes/d", "old"}});
  }

  void store(std::vector<StoredDocument> documents) { take(intake_.change(std::move(documents))); }

  void take(std::vector<config::Document> changes) {
    for (config::Document& each : candidate_.apply(std::move(changes), intake_)) {
      ++told_;
      if (each.text) {
        here_[each.key] = *each.text;
      } else {
        here_.erase(each.key);
      }
    }
  }

  void set(std::optional<Rollout> rollout) {
    candidate_.set(std::move(rollout));
    take({});
  }

  using Documents = std::map<std::string, std::string>;

  const Documents kBefore = {{"routes/a", "old"}, {"routes/b", "old"}, {"routes/d", "old"}};
  const Documents kAfter = {{"routes/a", "new"}, {"routes/c", "new"}, {"routes/d", "old"}};

  Rollout rollout_;
  Intake intake_{*Trust::load({}, 1), {.prefix = "/hangu/config/", .confirm_empty = false}};
  Candidate candidate_{"here"};
  Documents here_;
  int told_ = 0;
};

TEST_F(CandidateTest, ComesAndGoes) {
  set(rollout_);
  EXPECT_EQ(here_, kAfter);
  EXPECT_TRUE(candidate_.is_on_top());
  rollout_.state = Rollout::State::kRolledBack;
  set(rollout_);
  EXPECT_EQ(here_, kBefore);
  EXPECT_FALSE(candidate_.is_on_top());
}

TEST_F(CandidateTest, IsNotForOthers) {
  rollout_.nodes = {"elsewhere"};
  set(rollout_);
  EXPECT_EQ(here_, kBefore);
  rollout_.everyone = true;
  set(rollout_);
  EXPECT_EQ(here_, kAfter);
}

TEST_F(CandidateTest, CompletionTellsNothingTwice) {
  set(rollout_);
  told_ = 0;
  rollout_.state = Rollout::State::kComplete;
  forget_documents(rollout_);
  candidate_.set(rollout_);
  store({{"routes/a", "new"}, {"routes/b", std::nullopt}, {"routes/c", "new"}});
  EXPECT_EQ(here_, kAfter);
  EXPECT_EQ(told_, 3);
}

TEST_F(CandidateTest, StoreGoesOnBelow) {
  set(rollout_);
  store({{"routes/a", "other"}, {"routes/d", "other"}});
  EXPECT_EQ(here_["routes/a"], "new");
  EXPECT_EQ(here_["routes/d"], "other");
  set(std::nullopt);
  EXPECT_EQ(here_["routes/a"], "other");
}

TEST_F(CandidateTest, AllOrNothing) {
  set(rollout_);
  const std::vector<config::Refusal> refused = {{"routes/c", "E0110: no"}};
  EXPECT_EQ(candidate_.refusal(refused), "routes/c: E0110: no");
  candidate_.notice(refused);
  take({});
  EXPECT_EQ(here_, kBefore);
  EXPECT_EQ(candidate_.refusal({}), "routes/c: E0110: no");
  set(rollout_);  // the same one is not tried again
  EXPECT_EQ(here_, kBefore);
  rollout_.id = "r2";
  set(rollout_);
  EXPECT_EQ(here_, kAfter);
}

TEST_F(CandidateTest, RefusalOfOthersIsNotItsOwn) {
  set(rollout_);
  candidate_.notice({{"routes/d", "no"}});
  take({});
  EXPECT_EQ(here_, kAfter);
}

TEST_F(CandidateTest, EnvelopeThatCannotBeRead) {
  rollout_.documents[0].after = "#hangu 1 what";
  set(rollout_);
  EXPECT_EQ(here_, kBefore);
  EXPECT_NE(candidate_.refusal({}), "");
}

}  // namespace
}  // namespace hangu::fleet
