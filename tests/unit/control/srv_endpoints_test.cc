#include "control/srv_endpoints.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hangu::control {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<uint32_t> weights(const std::vector<config::Endpoint>& endpoints) {
  std::vector<uint32_t> all;
  for (const config::Endpoint& each : endpoints) {
    all.push_back(each.weight);
  }
  return all;
}

std::vector<uint32_t> priorities(const std::vector<config::Endpoint>& endpoints) {
  std::vector<uint32_t> all;
  for (const config::Endpoint& each : endpoints) {
    all.push_back(each.priority);
  }
  return all;
}

SrvRecord record(uint16_t priority, uint16_t weight) {
  return {.target = "host.test", .port = 80, .priority = priority, .weight = weight};
}

TEST(SrvEndpointsTest, TargetAndPortAreTheEndpoint) {
  const auto endpoints = srv_endpoints({{.target = "a.test", .port = 8080}});
  ASSERT_EQ(endpoints.size(), 1U);
  EXPECT_EQ(endpoints[0].host, "a.test");
  EXPECT_EQ(endpoints[0].port, 8080);
  EXPECT_THAT(srv_endpoints({}), IsEmpty());
}

TEST(SrvEndpointsTest, PrioritiesAreRanks) {
  EXPECT_THAT(
      priorities(srv_endpoints({record(10, 1), record(500, 1), record(10, 1), record(65535, 1)})),
      ElementsAre(0U, 1U, 0U, 2U));
  std::vector<SrvRecord> many;
  for (uint16_t i = 0; i < 10; ++i) {
    many.push_back(record(i, 1));
  }
  EXPECT_THAT(priorities(srv_endpoints(many)), ElementsAre(0U, 1U, 2U, 3U, 4U, 5U, 6U, 7U, 7U, 7U));
}

TEST(SrvEndpointsTest, WeightsKeepTheirProportions) {
  EXPECT_THAT(weights(srv_endpoints({record(0, 0), record(0, 0)})), ElementsAre(1U, 1U));
  EXPECT_THAT(weights(srv_endpoints({record(0, 0), record(0, 30)})), ElementsAre(1U, 30U));
  EXPECT_THAT(weights(srv_endpoints({record(0, 1000), record(0, 1)})), ElementsAre(1000U, 1U));
  EXPECT_THAT(weights(srv_endpoints({record(0, 60000), record(0, 30000), record(0, 1)})),
              ElementsAre(1000U, 500U, 1U));
}

}  // namespace
}  // namespace hangu::control
