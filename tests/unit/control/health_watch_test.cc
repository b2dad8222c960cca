// Outliers by the statistics of an interval, and panic, over a gateway without a data plane.
#include "hangu/control/health_watch.h"

#include <gtest/gtest.h>

#include "tests/unit/control/fake_gateway.h"

namespace hangu::control {
namespace {

using std::chrono::seconds;

class HealthWatchTest : public testing::Test {
 protected:
  HealthWatchTest() {
    config::Upstream& upstream = config_->upstreams.emplace_back();
    upstream.name = "app";
    upstream.ejection.enabled = true;
    upstream.ejection.failure_percentage = {
        .enabled = true, .endpoints_min = 2, .requests_min = 10, .threshold = 50};
    for (int i = 0; i < 3; ++i) {
      const std::string address = "10.0.0." + std::to_string(i) + ":80";
      record_.handles["app"].push_back(
          {.endpoint = {.address = address, .host = address},
           .health = std::make_shared<policy::EndpointHealth>(version_, 1)});
    }
  }

  policy::EndpointHealth& health(size_t index) { return *record_.handles["app"][index].health; }

  void count(size_t index, int requests, int failures) {
    for (int i = 0; i < requests; ++i) {
      health(index).count(0, i < failures);
    }
  }

  void look(int second) {
    now_ = TimePoint(seconds(1000 + second));
    watch_.look(*config_, gateway_, now_);
  }

  bool well(size_t index) { return health(index).well(now_.time_since_epoch().count()); }

  stats::UpstreamStats& stats() { return *gateway_.registry().upstream("app"); }

  std::shared_ptr<policy::PoolVersion> version_ = std::make_shared<policy::PoolVersion>();
  std::shared_ptr<config::Config> config_ = std::make_shared<config::Config>();
  GatewayRecord record_;
  FakeGateway gateway_{config_, record_};
  HealthWatch watch_;
  TimePoint now_;
};

TEST_F(HealthWatchTest, EjectsTheWorstOfAnInterval) {
  count(1, 100, 100);  // before anybody looked: of no interval
  look(0);
  EXPECT_TRUE(well(1));
  count(0, 100, 10);
  count(1, 100, 60);
  count(2, 100, 90);
  look(9);
  EXPECT_TRUE(well(2));
  look(10);
  EXPECT_TRUE(well(0));
  EXPECT_TRUE(well(1));  // of three only one may go
  EXPECT_FALSE(well(2));
  EXPECT_EQ(stats().outliers.value(), 1U);
  look(10);
  EXPECT_EQ(stats().ejected.value(), 1U);
  EXPECT_EQ(stats().usable.value(), 2U);
  health(2).end_ejection(now_.time_since_epoch().count());
  look(20);  // nothing happened in this one
  EXPECT_TRUE(well(2));
}

TEST_F(HealthWatchTest, OnlySaysSoInShadow) {
  config_->upstreams[0].ejection.mode = config::Mode::kShadow;
  look(0);
  count(0, 100, 0);
  count(2, 100, 90);
  look(10);
  EXPECT_TRUE(well(2));
  EXPECT_EQ(stats().shadow_outliers.value(), 1U);
}

TEST_F(HealthWatchTest, TellsOfPanicAndOfOrders) {
  look(0);
  EXPECT_EQ(stats().panic.value(), 0U);
  health(0).set_check(policy::EndpointHealth::Check::kBad, 1);
  health(1).set_check(policy::EndpointHealth::Check::kBad, 1);
  look(1);
  EXPECT_EQ(stats().panic.value(), 1U);
  EXPECT_EQ(stats().unhealthy.value(), 2U);
  health(1).set_order(policy::EndpointHealth::Order::kMaintenance, 2);
  look(2);
  EXPECT_EQ(stats().panic.value(), 0U);  // one of two is well
  EXPECT_EQ(stats().maintenance.value(), 1U);
  config_->upstreams[0].balancing.panic_percent = 60;
  look(3);
  EXPECT_EQ(stats().panic.value(), 1U);
}

}  // namespace
}  // namespace hangu::control
