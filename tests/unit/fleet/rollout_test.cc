// Rollout: which nodes have a change when, and what takes it back.
#include "hangu/fleet/rollout.h"

#include <algorithm>
#include <chrono>

#include <gtest/gtest.h>

namespace hangu::fleet {
namespace {

using std::chrono::seconds;
using State = Rollout::State;

class RolloutTest : public ::testing::Test {
 protected:
  RolloutTest() {
    rollout_.id = "r1";
    rollout_.plan.stages = {"25%", "100%"};
    rollout_.plan.every = seconds(10);
    rollout_.plan.ready_within = seconds(5);
    rollout_.documents = {{"routes/a", std::nullopt, "respond: {body: new}"}};
    for (const char* name : {"n1", "n2", "n3", "n4"}) {
      NodeReport report;
      report.node = name;
      nodes_.push_back(report);
    }
  }

  /// The driver looks; whether anything has changed.
  bool look(seconds later = seconds(0)) {
    now_ += later;
    auto next = advance(rollout_, nodes_, now_);
    if (next) {
      rollout_ = std::move(*next);
    }
    return next.has_value();
  }

  NodeReport& node(const std::string& name) {
    return *std::find_if(nodes_.begin(), nodes_.end(),
                         [&](const NodeReport& each) { return each.node == name; });
  }

  /// All nodes have heard of it, and those that are to have it do.
  void obey() {
    for (NodeReport& each : nodes_) {
      each.rollout = rollout_.id;
      each.ready = rollout_.covers(each.node);
    }
  }

  /// As far as the bake time of the first stage.
  void begin() {
    EXPECT_TRUE(look());
    obey();
    EXPECT_TRUE(look());
    ASSERT_TRUE(rollout_.ready);
  }

  Rollout rollout_;
  std::vector<NodeReport> nodes_;
  WallTime now_ = WallTime(seconds(1'800'000'000));
};

TEST_F(RolloutTest, GoesThroughItsStages) {
  EXPECT_TRUE(look());
  ASSERT_EQ(rollout_.nodes.size(), 1u);
  EXPECT_FALSE(rollout_.everyone);
  EXPECT_FALSE(look(seconds(1)));  // nobody has said anything
  obey();
  EXPECT_TRUE(look());
  EXPECT_FALSE(look(seconds(9)));
  EXPECT_TRUE(look(seconds(1)));
  EXPECT_EQ(rollout_.stage, 1u);
  EXPECT_TRUE(rollout_.everyone);
  EXPECT_EQ(rollout_.nodes.size(), 4u);
  obey();
  EXPECT_TRUE(look());
  EXPECT_FALSE(look(seconds(9)));
  EXPECT_TRUE(look(seconds(1)));
  EXPECT_EQ(rollout_.state, State::kComplete);
  EXPECT_FALSE(look(seconds(100)));
}

TEST_F(RolloutTest, IsTheSameForWhoeverLooks) {
  begin();
  const Rollout before = rollout_;
  EXPECT_EQ(advance(before, nodes_, now_ + seconds(10)),
            advance(*read_rollout(to_json(before)), nodes_, now_ + seconds(10)));
}

TEST_F(RolloutTest, StageKeepsTheNodesOfTheOneBefore) {
  rollout_.plan.stages = {"25%", "50%", "75%", "100%"};
  std::vector<std::string> before;
  for (size_t stage = 0; stage < 4; ++stage) {
    EXPECT_TRUE(look(seconds(10)));
    EXPECT_EQ(rollout_.nodes.size(), stage + 1);
    for (const std::string& each : before) {
      EXPECT_TRUE(rollout_.covers(each));
    }
    before = rollout_.nodes;
    obey();
    EXPECT_TRUE(look());
  }
}

TEST_F(RolloutTest, TakesOtherNodesFirstEachTime) {
  std::vector<std::string> first;
  for (int i = 0; i < 50; ++i) {
    Rollout one = rollout_;
    one.id = "r" + std::to_string(i);
    first.push_back(advance(one, nodes_, now_)->nodes.at(0));
  }
  for (const NodeReport& each : nodes_) {
    EXPECT_GT(std::count(first.begin(), first.end(), each.node), 3) << each.node;
  }
}

TEST_F(RolloutTest, Labels) {
  rollout_.plan.stages = {"canary=yes", "100%"};
  node("n3").labels = {"zone=a", "canary=yes"};
  EXPECT_TRUE(look());
  EXPECT_EQ(rollout_.nodes, std::vector<std::string>{"n3"});
}

TEST_F(RolloutTest, LabelThatNobodyHasHoldsIt) {
  rollout_.plan.stages = {"canary=yes", "100%"};
  EXPECT_TRUE(look());
  EXPECT_EQ(rollout_.state, State::kHeld);
  EXPECT_NE(rollout_.cause.find("canary=yes"), std::string::npos);
  EXPECT_FALSE(look(seconds(1000)));
  resume(rollout_, now_);
  EXPECT_TRUE(look());
  EXPECT_TRUE(rollout_.everyone);
}

TEST_F(RolloutTest, NodesThatAreNotReadyInTime) {
  EXPECT_TRUE(look());
  EXPECT_FALSE(look(seconds(5)));
  EXPECT_TRUE(look(seconds(1)));
  EXPECT_EQ(rollout_.state, State::kRolledBack);
  EXPECT_EQ(rollout_.cause, "0 of 1 nodes are ready");
}

TEST_F(RolloutTest, NodeThatComesBackInTime) {
  begin();
  const NodeReport gone = node(rollout_.nodes[0]);
  std::erase_if(nodes_, [&](const NodeReport& each) { return each.node == gone.node; });
  EXPECT_TRUE(look(seconds(8)));
  EXPECT_FALSE(rollout_.ready);
  nodes_.push_back(gone);
  EXPECT_TRUE(look(seconds(4)));
  EXPECT_FALSE(look(seconds(9)));  // its time begins anew
  EXPECT_TRUE(look(seconds(1)));
  EXPECT_EQ(rollout_.stage, 1u);
}

TEST_F(RolloutTest, NodeThatDoesNotComeBack) {
  begin();
  const std::string gone = rollout_.nodes[0];
  std::erase_if(nodes_, [&](const NodeReport& each) { return each.node == gone; });
  EXPECT_TRUE(look(seconds(8)));
  EXPECT_TRUE(look(seconds(6)));
  EXPECT_EQ(rollout_.state, State::kRolledBack);
}

TEST_F(RolloutTest, EnoughOfThemAreEnough) {
  rollout_.plan.stages = {"100%"};
  nodes_.clear();
  for (int i = 0; i < 20; ++i) {
    NodeReport report;
    report.node = "n" + std::to_string(i);
    nodes_.push_back(report);
  }
  EXPECT_TRUE(look());
  obey();
  for (int i = 0; i < 4; ++i) {
    nodes_[static_cast<size_t>(i)].ready = false;
  }
  EXPECT_FALSE(look());  // 80 %
  nodes_[0].ready = true;
  EXPECT_TRUE(look());  // 85 %
  EXPECT_TRUE(rollout_.ready);
}

TEST_F(RolloutTest, NodeThatRefuses) {
  EXPECT_TRUE(look());
  obey();
  NodeReport& first = node(rollout_.nodes[0]);
  first.ready = false;
  first.refusal = "E0110: no";
  EXPECT_TRUE(look());
  EXPECT_EQ(rollout_.state, State::kRolledBack);
  EXPECT_NE(rollout_.cause.find("E0110: no"), std::string::npos);
}

TEST_F(RolloutTest, ErrorsTakeItBack) {
  begin();
  for (NodeReport& each : nodes_) {
    each.now = {.requests = 1000, .errors = 5, .p99_us = 1000};
  }
  EXPECT_FALSE(look());
  Served& with = node(rollout_.nodes[0]).now;
  with.errors = 20;  // half a per cent too many: of a thousand that may be chance
  EXPECT_FALSE(look());
  with.errors = 30;
  EXPECT_TRUE(look());
  EXPECT_EQ(rollout_.state, State::kRolledBack);
  EXPECT_EQ(rollout_.cause, "3.00 % of 1000 requests fail, 0.50 % without it");
}

TEST_F(RolloutTest, FewRequestsSayNothing) {
  begin();
  node(rollout_.nodes[0]).now = {.requests = 199, .errors = 199, .p99_us = 1};
  EXPECT_FALSE(look());
  node(rollout_.nodes[0]).now = {.requests = 200, .errors = 199, .p99_us = 1};
  EXPECT_TRUE(look());
}

TEST_F(RolloutTest, SlownessTakesItBack) {
  begin();
  for (NodeReport& each : nodes_) {
    each.now = {.requests = 1000, .errors = 0, .p99_us = 50'000};
  }
  Served& with = node(rollout_.nodes[0]).now;
  with.p99_us = 60'000;
  EXPECT_FALSE(look());
  with.p99_us = 60'001;
  EXPECT_TRUE(look());
  EXPECT_EQ(rollout_.cause, "the 99th percentile is 60.0 ms, 50.0 ms without it");
}

TEST_F(RolloutTest, AFewMillisecondsAreNoise) {
  begin();
  for (NodeReport& each : nodes_) {
    each.now = {.requests = 1000, .errors = 0, .p99_us = 1000};
  }
  node(rollout_.nodes[0]).now.p99_us = 6000;
  EXPECT_FALSE(look());
  node(rollout_.nodes[0]).now.p99_us = 6001;
  EXPECT_TRUE(look());
}

TEST_F(RolloutTest, ComparesWithBeforeWhenThereIsNobodyElse) {
  rollout_.plan.stages = {"100%"};
  begin();
  for (NodeReport& each : nodes_) {
    each.before = {.requests = 1000, .errors = 100, .p99_us = 1000};
    each.now = {.requests = 1000, .errors = 105, .p99_us = 1000};
  }
  EXPECT_FALSE(look());
  for (NodeReport& each : nodes_) {
    each.now.errors = 140;
  }
  EXPECT_TRUE(look());
  EXPECT_EQ(rollout_.state, State::kRolledBack);
}

TEST_F(RolloutTest, HoldsWhenItIsToldTo) {
  rollout_.plan.guard.hold = true;
  begin();
  node(rollout_.nodes[0]).now = {.requests = 1000, .errors = 500, .p99_us = 1};
  EXPECT_TRUE(look());
  EXPECT_EQ(rollout_.state, State::kHeld);
  EXPECT_TRUE(rollout_.covers(rollout_.nodes[0]));
  resume(rollout_, now_);  // somebody knows better
  EXPECT_FALSE(look(seconds(9)));
  EXPECT_TRUE(look(seconds(1)));
  EXPECT_EQ(rollout_.stage, 1u);
}

TEST_F(RolloutTest, PausedGoesNoFurtherAndIsStillGuarded) {
  begin();
  rollout_.state = State::kPaused;
  EXPECT_FALSE(look(seconds(1000)));
  node(rollout_.nodes[0]).now = {.requests = 1000, .errors = 500, .p99_us = 1};
  EXPECT_TRUE(look());
  EXPECT_EQ(rollout_.state, State::kRolledBack);
}

TEST_F(RolloutTest, ReportOfAnotherRolloutDoesNotCount) {
  EXPECT_TRUE(look());
  for (NodeReport& each : nodes_) {
    each.rollout = "r0";
    each.ready = true;
    each.now = {.requests = 1000, .errors = 1000, .p99_us = 1};
  }
  EXPECT_FALSE(look());
}

TEST_F(RolloutTest, NobodyIsCoveredWhenItIsOver) {
  begin();
  for (const State state : {State::kComplete, State::kRolledBack, State::kAborted}) {
    rollout_.state = state;
    EXPECT_FALSE(rollout_.covers(rollout_.nodes[0]));
  }
}

TEST_F(RolloutTest, Json) {
  begin();
  rollout_.author = "li";
  rollout_.cause = "\"quoted\"\n";
  rollout_.plan.guard = {
      .requests_min = 7, .error_ratio_delta = {12'000}, .p99_delta = {300'000}, .hold = true};
  EXPECT_EQ(read_rollout(to_json(rollout_)), rollout_);
  NodeReport report = nodes_[0];
  report.labels = {"a=b"};
  report.refusal = "no";
  report.before = {.requests = 1, .errors = 2, .p99_us = 3};
  EXPECT_EQ(read_report(to_json(report)), report);
}

TEST_F(RolloutTest, WhatIsNoJson) {
  for (const char* text : {"", "{}", "[]", "5", "{\"id\":\"x\",\"state\":\"dancing\"}",
                           "{\"id\":5,\"state\":\"running\"}"}) {
    EXPECT_FALSE(read_rollout(text)) << text;
    EXPECT_FALSE(read_report(text)) << text;
  }
  const auto least = read_rollout("{\"id\":\"x\",\"state\":\"running\",\"stage\":-1,\"plan\":7}");
  ASSERT_TRUE(least);
  EXPECT_FALSE(advance(*least, nodes_, now_));  // it has no stages
}

}  // namespace
}  // namespace hangu::fleet
