#include "control/known_instances.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hangu::control {
namespace {

using State = DiscoveryStatus::State;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

config::Endpoint endpoint(const std::string& host, uint32_t weight = 1) {
  config::Endpoint made;
  made.host = host;
  made.port = 80;
  made.weight = weight;
  return made;
}

FoundInstances found(std::vector<config::Endpoint> endpoints) {
  FoundInstances made;
  for (config::Endpoint& each : endpoints) {
    made.instances.push_back({std::move(each), {}});
  }
  return made;
}

config::Discovery registry(config::InstanceLabels labels = {}) {
  config::Discovery made;
  made.etcd.prefix = "/services/orders/";
  made.labels = std::move(labels);
  return made;
}

FoundInstances failed(const std::string& why) {
  FoundInstances made;
  made.error = why;
  return made;
}

class KnownInstancesTest : public testing::Test {
 protected:
  bool take(FoundInstances answer) { return known_.take(std::move(answer), now_); }

  KnownInstances known_{"orders", registry()};
  WallTime now_{std::chrono::hours(1)};
};

TEST_F(KnownInstancesTest, WaitsForTheFirstAnswer) {
  EXPECT_FALSE(known_.answered());
  EXPECT_TRUE(take(found({endpoint("192.0.2.1")})));
  EXPECT_TRUE(known_.answered());
  EXPECT_EQ(known_.status().state, State::kFresh);
  EXPECT_EQ(known_.status().instances, 1U);
  EXPECT_EQ(known_.status().changes, 1U);
}

TEST_F(KnownInstancesTest, TheSameAgainIsNoChange) {
  take(found({endpoint("192.0.2.1"), endpoint("192.0.2.2")}));
  EXPECT_FALSE(take(found({endpoint("192.0.2.1"), endpoint("192.0.2.2")})));
  EXPECT_TRUE(take(found({endpoint("192.0.2.1", 3), endpoint("192.0.2.2")})));
  EXPECT_TRUE(take(found({endpoint("192.0.2.1", 3)})));
  EXPECT_EQ(known_.status().changes, 3U);
}

TEST_F(KnownInstancesTest, AnEmptyAnswerKeepsTheLastGood) {
  take(found({endpoint("192.0.2.1")}));
  EXPECT_FALSE(take(found({})));
  EXPECT_THAT(known_.endpoints(), ElementsAre(endpoint("192.0.2.1")));
  EXPECT_EQ(known_.status().state, State::kStale);
  EXPECT_THAT(known_.status().error, HasSubstr("no instance"));
  EXPECT_EQ(known_.status().since, now_);
}

TEST_F(KnownInstancesTest, AFailureKeepsThemAndCountsOnce) {
  take(found({endpoint("192.0.2.1")}));
  EXPECT_FALSE(take(failed("connection refused")));
  now_ += std::chrono::hours(1);
  EXPECT_FALSE(take(failed("timeout")));
  EXPECT_EQ(known_.status().error, "timeout");
  EXPECT_EQ(known_.status().failures, 1U);
  EXPECT_EQ(known_.status().since, WallTime{std::chrono::hours(1)});
  EXPECT_FALSE(take(found({endpoint("192.0.2.1")})));
  EXPECT_EQ(known_.status().state, State::kFresh);
  EXPECT_EQ(known_.status().error, "");
  EXPECT_FALSE(take(failed("again")));
  EXPECT_EQ(known_.status().failures, 2U);
}

TEST_F(KnownInstancesTest, AddressesThatStandTwiceAreOne) {
  take(found({endpoint("192.0.2.1", 2), endpoint("192.0.2.1", 5), endpoint("192.0.2.2")}));
  EXPECT_THAT(known_.endpoints(), ElementsAre(endpoint("192.0.2.1", 2), endpoint("192.0.2.2")));
}

TEST_F(KnownInstancesTest, TooManyAreCut) {
  std::vector<config::Endpoint> many;
  for (size_t i = 0; i <= config::kDiscoveredMax; ++i) {
    many.push_back(endpoint("h" + std::to_string(i) + ".test"));
  }
  take(found(many));
  EXPECT_THAT(known_.endpoints(), SizeIs(config::kDiscoveredMax));
  EXPECT_THAT(known_.status().refused, SizeIs(1));
}

TEST_F(KnownInstancesTest, RefusedOnesAreNamedAsLongAsTheyAreThere) {
  FoundInstances answer = found({endpoint("192.0.2.1")});
  answer.refused = {{"/a", "it is no JSON"}};
  take(answer);
  EXPECT_THAT(known_.status().refused, ElementsAre(RefusedInstance{"/a", "it is no JSON"}));
  answer.instances.clear();
  take(answer);
  EXPECT_THAT(known_.status().error, HasSubstr("1 that cannot be used"));
  take(found({endpoint("192.0.2.1")}));
  EXPECT_THAT(known_.status().refused, IsEmpty());
  answer = found({endpoint("192.0.2.1")});
  for (size_t i = 0; i < 3 * KnownInstances::kRefusedMax; ++i) {
    answer.refused.push_back({std::to_string(i), "bad"});
  }
  take(answer);
  EXPECT_THAT(known_.status().refused, SizeIs(KnownInstances::kRefusedMax));
  EXPECT_THAT(known_.status().refused.back().reason, HasSubstr("201 more"));
}

TEST_F(KnownInstancesTest, WhatACacheKnewServesUntilTheSourceAnswers) {
  known_.restore({endpoint("192.0.2.9")});
  EXPECT_FALSE(known_.answered());
  EXPECT_TRUE(known_.status().from_cache);
  EXPECT_FALSE(take(failed("connection refused")));
  EXPECT_THAT(known_.endpoints(), ElementsAre(endpoint("192.0.2.9")));
  EXPECT_TRUE(known_.status().from_cache);
  EXPECT_FALSE(take(found({endpoint("192.0.2.9")})));
  EXPECT_FALSE(known_.status().from_cache);
}

FoundInstances both_versions() {
  FoundInstances made;
  made.instances = {{endpoint("192.0.2.1"), {{"version", "1.0"}, {"zone", "a"}}},
                    {endpoint("192.0.2.2"), {{"version", "2.0"}, {"zone", "a"}}},
                    {endpoint("192.0.2.3"), {{"version", "2.0"}, {"zone", "b"}}},
                    {endpoint("192.0.2.4"), {}}};
  return made;
}

TEST_F(KnownInstancesTest, OnlyThoseWithAllOfTheLabelsAreTaken) {
  KnownInstances second("v2", registry({{"version", "2.0"}}));
  EXPECT_EQ(second.status().source, "etcd /services/orders/ {version: 2.0}");
  EXPECT_TRUE(second.take(both_versions(), now_));
  EXPECT_THAT(second.endpoints(), ElementsAre(endpoint("192.0.2.2"), endpoint("192.0.2.3")));
  EXPECT_EQ(second.status().others, 2U);
  EXPECT_THAT(second.status().refused, IsEmpty());
  KnownInstances near("v2-a", registry({{"version", "2.0"}, {"zone", "a"}}));
  EXPECT_TRUE(near.take(both_versions(), now_));
  EXPECT_THAT(near.endpoints(), ElementsAre(endpoint("192.0.2.2")));
  EXPECT_TRUE(take(both_versions()));
  EXPECT_THAT(known_.endpoints(), SizeIs(4));
  EXPECT_EQ(known_.status().others, 0U);
}

TEST_F(KnownInstancesTest, OneAddressUnderTwoKeysIsOfBothVersions) {
  FoundInstances answer;
  answer.instances = {{endpoint("192.0.2.1"), {{"version", "1.0"}}},
                      {endpoint("192.0.2.1"), {{"version", "2.0"}}}};
  KnownInstances second("v2", registry({{"version", "2.0"}}));
  EXPECT_TRUE(second.take(answer, now_));
  EXPECT_THAT(second.endpoints(), ElementsAre(endpoint("192.0.2.1")));
}

TEST_F(KnownInstancesTest, AChoiceThatIsEmptyKeepsTheLastGood) {
  KnownInstances first("v1", registry({{"version", "1.0"}}));
  FoundInstances answer = both_versions();
  first.take(answer, now_);
  answer.instances.erase(answer.instances.begin());
  answer.refused = {{"/a", "it is no JSON"}};
  EXPECT_FALSE(first.take(answer, now_));
  EXPECT_THAT(first.endpoints(), ElementsAre(endpoint("192.0.2.1")));
  EXPECT_EQ(first.status().state, State::kStale);
  EXPECT_EQ(first.status().error,
            "there are 3 instances, but none has the labels {version: 1.0}; 1 that cannot be used");
  EXPECT_EQ(first.status().others, 3U);
  EXPECT_FALSE(first.take(found({}), now_));
  EXPECT_EQ(first.status().others, 0U);
  EXPECT_EQ(first.status().error, "there is no instance");
}

}  // namespace
}  // namespace hangu::control
