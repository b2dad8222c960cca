// KeyRing and KeyKeeper: who can open what when, and whose word on the keys counts.
#include "hangu/fleet/key_ring.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <set>

#include <gtest/gtest.h>

#include "hangu/base/base64.h"
#include "hangu/fleet/key_keeper.h"

namespace hangu::fleet {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

const std::string kSecret = "the fleet's secret, 32 bytes or so";
const std::string kOther = "another secret of as many bytes or so";

config::SharedKeys plan(std::vector<std::string> secrets = {kSecret}) {
  config::SharedKeys plan;
  plan.rotation = hours(12);
  plan.lead = minutes(1);
  plan.keep = hours(24);
  for (std::string& each : secrets) {
    plan.secrets.push_back({.text = std::move(each)});
  }
  return plan;
}

identity::Sealer sealer(const std::string& secret = kSecret) {
  return {std::array{secret}, ring_purpose({})};
}

class KeyRingTest : public ::testing::Test {
 protected:
  /// Whoever leads looks; whether there was a step.
  bool look(Duration later = {}) {
    now_ += later;
    auto next = advance(ring_, plan_, now_);
    if (next) {
      EXPECT_EQ(next->generation, ring_.generation + 1);
      ring_ = std::move(*next);
    }
    return next.has_value();
  }

  /// As often as a leader does, in that time.
  void run(Duration time) {
    for (const WallTime end = now_ + time; now_ < end;) {
      look(seconds(20));
    }
  }

  bool opens(const std::string& secret) const {
    const auto all = ring_.secrets();
    return std::find(all.begin(), all.end(), secret) != all.end();
  }

  std::string seals() const { return ring_.secrets().front(); }

  config::SharedKeys plan_ = plan();
  KeyRing ring_;
  WallTime now_ = WallTime(seconds(1'800'000'000));
};

TEST_F(KeyRingTest, TheFirstOneSealsAtOnce) {
  EXPECT_TRUE(look());
  ASSERT_EQ(ring_.entries.size(), 1u);
  EXPECT_FALSE(ring_.pending);
  EXPECT_EQ(seals().size(), 32u);
  EXPECT_FALSE(look());
  EXPECT_FALSE(look(hours(12) - seconds(1)));
}

TEST_F(KeyRingTest, ANewOneIsKnownBeforeItSeals) {
  look();
  const std::string first = seals();
  EXPECT_TRUE(look(hours(12)));
  EXPECT_TRUE(ring_.pending);
  EXPECT_EQ(ring_.entries.size(), 2u);
  EXPECT_EQ(seals(), first);
  EXPECT_FALSE(look(seconds(59)));
  const std::string second = ring_.secrets()[1];
  EXPECT_TRUE(look(seconds(1)));
  EXPECT_FALSE(ring_.pending);
  EXPECT_EQ(seals(), second);
  EXPECT_NE(second, first);
  EXPECT_TRUE(opens(first));
}

TEST_F(KeyRingTest, EachOpensForAsLongAsItIsToAndNoLongerThanOneRotationMore) {
  look();
  const std::string first = seals();
  run(hours(12) + minutes(2));
  ASSERT_NE(seals(), first);
  run(hours(24) - minutes(10));
  EXPECT_TRUE(opens(first));
  run(hours(12) + minutes(20));
  EXPECT_FALSE(opens(first));
}

TEST_F(KeyRingTest, InTheLongRunItNeitherGrowsNorRepeatsItself) {
  std::set<std::string> seen;
  for (int day = 0; day < 30; ++day) {
    run(hours(24));
    EXPECT_LE(ring_.entries.size(), 5u);
    const auto all = ring_.secrets();
    seen.insert(all.begin(), all.end());
  }
  EXPECT_GE(seen.size(), 59u);
  EXPECT_LE(seen.size(), 61u);
}

TEST_F(KeyRingTest, AClockThatIsSetForwardTakesFewKeysWithIt) {
  run(hours(72));
  const std::string sealing = seals();
  const size_t before = ring_.entries.size();
  now_ += hours(24 * 3650);
  run(minutes(5));
  EXPECT_TRUE(opens(sealing));
  EXPECT_GE(ring_.entries.size() + 1, before);
  EXPECT_NE(seals(), sealing);
}

TEST_F(KeyRingTest, AClockThatIsSetBackTakesNoneAndRotationGoesOn) {
  run(hours(72));
  const auto before = ring_.secrets();
  now_ -= hours(24 * 3650);
  EXPECT_TRUE(look());  // they count from now
  EXPECT_EQ(ring_.secrets(), before);
  EXPECT_FALSE(look());
  run(hours(12) + minutes(2));
  EXPECT_NE(seals(), before.front());
  EXPECT_TRUE(opens(before.front()));
  const std::string sealing = seals();
  now_ += hours(24 * 3650);  // right again
  run(hours(12));
  EXPECT_TRUE(opens(sealing));
}

TEST_F(KeyRingTest, ClocksThatDifferByLittleAreNoReasonToWrite) {
  look();
  EXPECT_FALSE(look(-seconds(50)));
}

TEST_F(KeyRingTest, ItsSizeIsBounded) {
  plan_.keep = hours(24 * 365);
  run(hours(24 * 20));
  EXPECT_EQ(ring_.entries.size(), KeyRing::kEntriesMax);
  EXPECT_TRUE(opens(seals()));
}

TEST_F(KeyRingTest, NobodyReadsOrChangesItWithoutTheSecret) {
  run(hours(30));
  const std::string text = seal(ring_, sealer());
  EXPECT_EQ(open_ring(text, sealer()), ring_);
  EXPECT_FALSE(open_ring(text, sealer(kOther)));
  const std::string raw = *decode_base64url(text);
  for (const KeyRing::Entry& each : ring_.entries) {
    EXPECT_EQ(raw.find(std::string(each.secret.begin(), each.secret.end())), std::string::npos);
    EXPECT_EQ(raw.find(each.id), std::string::npos);
  }
  for (size_t at = 0; at < raw.size(); at += 7) {
    std::string changed = raw;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    EXPECT_FALSE(open_ring(encode_base64url(changed), sealer()));
  }
  EXPECT_FALSE(open_ring(text.substr(0, text.size() - 4), sealer()));
  EXPECT_FALSE(open_ring("", sealer()));
}

TEST_F(KeyRingTest, WhatIsNoRingIsNone) {
  const auto with = [](std::string_view json) { return open_ring(sealer().seal(json), sealer()); };
  const std::string entry = R"({"id":"a","created_ms":1,"secret":")" + std::string(64, 'a') + "\"}";
  EXPECT_TRUE(with(R"({"generation":1,"entries":[)" + entry + "]}"));
  EXPECT_FALSE(with(R"({"generation":1,"pending":true,"entries":[)" + entry + "]}"));
  EXPECT_FALSE(with(R"({"generation":0,"entries":[)" + entry + "]}"));
  EXPECT_FALSE(with(R"({"generation":1,"entries":[]})"));
  EXPECT_FALSE(with(R"({"generation":1,"entries":[{"id":"a","secret":"aa"}]})"));
  EXPECT_FALSE(with("[]"));
  EXPECT_FALSE(with("{"));
}

/// A store, and nodes of which any may lead.
class KeyKeeperTest : public ::testing::Test {
 protected:
  struct Node {
    explicit Node(config::SharedKeys plan)
        : keeper(std::move(plan), {}, seconds(10)) {}

    KeyKeeper keeper;
    bool changed = false;  // by the last look
  };

  void look(Node& node) { node.changed = node.keeper.take(stored_); }

  /// Second by second; what came of the last.
  bool lead_for(Node& node, int count) {
    bool written = false;
    for (int i = 0; i < count; ++i) {
      written = lead(node, seconds(1));
    }
    return written;
  }

  /// Node leads for one round; whether it writes.
  bool lead(Node& node, Duration later = {}, std::vector<uint64_t> peers = {}) {
    wall_ += later;
    monotonic_ += later;
    look(node);
    auto text = node.keeper.to_write(peers, wall_, monotonic_);
    if (text) {
      stored_ = std::move(text);
      look(node);
    }
    return node.changed || text.has_value();
  }

  std::optional<std::string> stored_;
  WallTime wall_ = WallTime(seconds(1'800'000'000));
  TimePoint monotonic_ = TimePoint(hours(1));
  Node a_{plan()}, b_{plan()}, stranger_{plan({kOther})};
};

TEST_F(KeyKeeperTest, AllHaveWhatTheLeaderMakes) {
  EXPECT_TRUE(lead(a_));
  look(b_);
  EXPECT_TRUE(b_.changed);
  EXPECT_EQ(b_.keeper.ring(), a_.keeper.ring());
  EXPECT_EQ(b_.keeper.generation(), 1u);
  EXPECT_FALSE(lead(a_));
  lead(b_, hours(12));  // another one leads
  EXPECT_EQ(b_.keeper.generation(), 2u);
  look(a_);
  EXPECT_EQ(a_.keeper.ring(), b_.keeper.ring());
}

TEST_F(KeyKeeperTest, NothingIsInForceBeforeItStandsInTheStore) {
  lead(a_);
  const KeyRing before = a_.keeper.ring();
  wall_ += hours(12);
  look(a_);
  look(b_);
  const auto of_a = a_.keeper.to_write({}, wall_, monotonic_);
  const auto of_b = b_.keeper.to_write({}, wall_, monotonic_);
  ASSERT_TRUE(of_a && of_b);
  EXPECT_EQ(a_.keeper.ring(), before);
  stored_ = of_b;  // the transaction of `a` did not hold
  look(a_);
  look(b_);
  EXPECT_EQ(a_.keeper.ring(), b_.keeper.ring());
  EXPECT_FALSE(a_.keeper.to_write({}, wall_, monotonic_));
}

TEST_F(KeyKeeperTest, AWrongSecretIsToldAndChangesNothing) {
  lead(a_);
  const auto before = stored_;
  look(stranger_);
  EXPECT_FALSE(stranger_.changed);
  EXPECT_EQ(stranger_.keeper.generation(), 0u);
  EXPECT_NE(stranger_.keeper.error().find("secrets"), std::string::npos);
  EXPECT_TRUE(is_behind(stranger_.keeper.generation(), {1}));
  EXPECT_FALSE(is_behind(a_.keeper.generation(), {0}));
  for (int i = 0; i < 100; ++i) {
    lead(stranger_, hours(1), {1});
  }
  EXPECT_EQ(stored_, before);
}

TEST_F(KeyKeeperTest, WhatNobodyCanOpenIsReplacedAfterARotation) {
  lead(a_);
  const auto before = stored_;
  lead(stranger_);
  lead(stranger_, hours(11));
  lead(stranger_, minutes(59), {1});  // somebody can: from here on anew
  lead(stranger_, hours(11));
  EXPECT_EQ(stored_, before);
  EXPECT_TRUE(lead(stranger_, hours(1)));
  EXPECT_NE(stored_, before);
  EXPECT_EQ(stranger_.keeper.generation(), 1u);
  EXPECT_TRUE(stranger_.keeper.error().empty());
}

TEST_F(KeyKeeperTest, WhoStoodBackCountsAnew) {
  lead(a_);
  const auto before = stored_;
  lead(stranger_);
  stranger_.keeper.stand_back();  // somebody else led for a while
  lead(stranger_, hours(13));
  lead(stranger_, hours(11));
  EXPECT_EQ(stored_, before);
  EXPECT_TRUE(lead(stranger_, hours(1)));
}

TEST_F(KeyKeeperTest, KeysOfAnotherFleetDoNotOpen) {
  lead(a_);
  KeyKeeper other(plan({kSecret}), "/another/");
  other.take(stored_);
  EXPECT_FALSE(other.error().empty());
  EXPECT_EQ(other.generation(), 0U);
}

TEST_F(KeyKeeperTest, WhatWasTamperedWithIsRefusedAndTheLastGoodOneGoesOn) {
  lead(a_);
  look(b_);
  const KeyRing good = a_.keeper.ring();
  (*stored_)[20] = (*stored_)[20] == 'A' ? 'B' : 'A';
  for (Node* each : {&a_, &b_}) {
    look(*each);
    EXPECT_FALSE(each->changed);
    EXPECT_FALSE(each->keeper.error().empty());
    EXPECT_EQ(each->keeper.ring(), good);
  }
  lead(a_);
  lead(a_, hours(12));  // nobody can open it: the good one is written again, with its next step
  look(b_);
  EXPECT_TRUE(b_.keeper.error().empty());
  EXPECT_EQ(b_.keeper.ring().sealing(), good.sealing());
  EXPECT_EQ(b_.keeper.generation(), 2u);
}

TEST_F(KeyKeeperTest, OldKeysDoNotComeBack) {
  lead(a_);
  const auto old = stored_;
  lead(a_, hours(12));
  lead(a_, minutes(1));
  const KeyRing good = a_.keeper.ring();
  stored_ = old;
  look(a_);
  EXPECT_FALSE(a_.changed);
  EXPECT_NE(a_.keeper.error().find("older"), std::string::npos);
  EXPECT_EQ(a_.keeper.generation(), good.generation);
  look(b_);  // has just come
  EXPECT_EQ(b_.keeper.generation(), 1u);
  EXPECT_TRUE(is_behind(b_.keeper.generation(), {a_.keeper.generation()}));
  EXPECT_TRUE(lead(a_));
  look(b_);
  EXPECT_EQ(b_.keeper.ring(), good);
}

TEST_F(KeyKeeperTest, AStoreThatHasLostThemGetsThemAgain) {
  lead(a_);
  const KeyRing good = a_.keeper.ring();
  stored_.reset();
  lead(a_);
  look(b_);
  EXPECT_EQ(b_.keeper.ring(), good);
}

TEST_F(KeyKeeperTest, ANewFleetHasKeysAtOnce) {
  EXPECT_TRUE(lead(a_, {}, {0, 0}));
  EXPECT_TRUE(stored_);
}

TEST_F(KeyKeeperTest, AWrongSecretDoesNotTakeAStoreThatWasEmptied) {
  lead(a_);
  const KeyRing good = a_.keeper.ring();
  look(stranger_);
  stored_.reset();
  EXPECT_FALSE(lead(stranger_));
  EXPECT_FALSE(lead_for(stranger_, 9));
  EXPECT_FALSE(lead(stranger_, seconds(1), {0, 1}));  // somebody is back who has keys
  EXPECT_FALSE(lead(stranger_, seconds(1)));
  lead(a_);
  ASSERT_TRUE(stored_);
  EXPECT_EQ(a_.keeper.ring(), good);
  look(b_);
  EXPECT_EQ(b_.keeper.ring(), good);
}

TEST_F(KeyKeeperTest, ANewNodeDoesNotTakeItFromThoseThatAreBack) {
  EXPECT_FALSE(lead(stranger_, {}, {1}));
  EXPECT_FALSE(stored_);
}

TEST_F(KeyKeeperTest, KeysThatNobodyIsLeftWithAreMadeAnew) {
  lead(a_);
  look(stranger_);
  stored_.reset();
  lead(stranger_);
  EXPECT_FALSE(lead_for(stranger_, 9));
  stranger_.keeper.stand_back();  // somebody else led for a while
  EXPECT_FALSE(lead_for(stranger_, 10));
  EXPECT_TRUE(lead(stranger_, seconds(1)));
  EXPECT_EQ(stranger_.keeper.generation(), 1u);
}

TEST_F(KeyKeeperTest, TimeInWhichNobodyLookedDoesNotCountAsEmpty) {
  lead(a_);
  look(stranger_);
  stored_.reset();
  EXPECT_FALSE(lead_for(stranger_, 5));
  EXPECT_FALSE(lead(stranger_, seconds(30)));  // the store was away
  EXPECT_FALSE(lead_for(stranger_, 9));
  EXPECT_TRUE(lead(stranger_, seconds(1)));
}

TEST_F(KeyKeeperTest, KeysOnTheDiskAreAWordOfTheFleetsEvenIfTheyDoNotOpen) {
  lead(a_);
  stranger_.keeper.begin_with(a_.keeper.text());
  stored_.reset();
  EXPECT_FALSE(lead(stranger_));
  EXPECT_TRUE(lead_for(stranger_, 10));
}

TEST_F(KeyKeeperTest, ANodeBeginsWithWhatItHad) {
  lead(a_);
  Node restarted(plan());
  restarted.keeper.begin_with(a_.keeper.text());
  EXPECT_EQ(restarted.keeper.ring(), a_.keeper.ring());
  look(restarted);
  EXPECT_FALSE(restarted.changed);
  Node other(plan({kOther}));
  other.keeper.begin_with(a_.keeper.text());
  EXPECT_EQ(other.keeper.ring(), KeyRing());
  other.keeper.begin_with("");
  EXPECT_EQ(other.keeper.ring(), KeyRing());
  EXPECT_FALSE(other.keeper.to_write({}, wall_, monotonic_));  // it has not looked yet
}

TEST_F(KeyKeeperTest, TheSecretIsChangedNodeByNode) {
  lead(a_);
  const KeyRing ring = a_.keeper.ring();
  Node both(plan({kOther, kSecret}));
  EXPECT_TRUE(lead(both));  // in the new one, as soon as it leads
  EXPECT_EQ(both.keeper.ring(), ring);
  EXPECT_FALSE(lead(both));
  look(stranger_);
  EXPECT_EQ(stranger_.keeper.ring(), ring);
  Node old_first(plan({kSecret, kOther}));
  look(old_first);
  EXPECT_EQ(old_first.keeper.ring(), ring);
}

}  // namespace
}  // namespace hangu::fleet
