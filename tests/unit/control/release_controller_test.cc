// Releases over gateways without a data plane: one node drives, another follows by the book.
#include "hangu/control/release_controller.h"

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "tests/unit/control/fake_gateway.h"
#include "tests/unit/control/run_until.h"

namespace hangu::control {
namespace {

using policy::ReleaseOrder;
using policy::ReleaseStage;
using std::chrono::milliseconds;

/// What a store would be: every node hears what any of them has written.
class SharedPages {
 public:
  void write(const SavedReleases& releases) {
    pages_ = releases;
    for (const auto& [reader, news] : readers_) {
      if (news) {
        news(releases);
      }
    }
  }

  SavedReleases pages_;
  std::map<const void*, ReleaseBook::OnNews> readers_;
};

class SharedBook final : public ReleaseBook {
 public:
  explicit SharedBook(SharedPages& pages)
      : pages_(pages) {}

  ~SharedBook() override { pages_.readers_.erase(this); }

  SavedReleases load() override { return pages_.pages_; }

  void save(const SavedReleases& releases) override { pages_.write(releases); }

  void on_news(OnNews news) override { pages_.readers_[this] = std::move(news); }

 private:
  SharedPages& pages_;
};

struct Node {
  Node(boost::asio::io_context& context, SharedPages& pages, ReleaseRole role)
      : controller(context, [this] { return serves; }) {
    record.shares["orders"] = std::make_shared<policy::ReleaseShare>();
    controller.set_role(role);
    controller.use(std::make_shared<SharedBook>(pages));
  }

  void apply(const std::shared_ptr<const config::Config>& config) {
    controller.apply(config, gateway);
  }

  uint32_t share() { return record.shares["orders"]->buckets(); }

  ReleaseStatus status() { return controller.status().at(0); }

  /// Answers of the two upstreams.
  void count(std::string_view upstream, int requests, int errors) {
    const auto stats = gateway.registry().split_part(
        {.route = "orders", .upstream = std::string(upstream), .version = {}});
    for (int i = 0; i < requests; ++i) {
      stats->slot(0).requests.add();
      stats->slot(0).latency.record(milliseconds(3));
      if (i < errors) {
        stats->slot(0).errors.add();
      }
    }
  }

  bool serves = true;
  GatewayRecord record;
  FakeGateway gateway{std::make_shared<config::Config>(), record};
  ReleaseController controller;
};

class ReleaseControllerTest : public testing::Test {
 protected:
  ReleaseControllerTest() {
    auto config = std::make_shared<config::Config>();
    config->upstreams.resize(2);
    config->upstreams[0].name = "v1";
    config->upstreams[1].name = "v2";
    config::Route route;
    route.name = "orders";
    route.split.enabled = true;
    route.split.upstreams = {{.upstream = 0, .weight = 1, .version = {}, .who = {}, .rules = {}},
                             {.upstream = 1, .weight = 0, .version = {}, .who = {}, .rules = {}}};
    route.split.ramp = {.enabled = true,
                        .to = 1,
                        .from = {100'000},
                        .until = {},
                        .step = {300'000},
                        .every = milliseconds(200)};
    route.split.guard.enabled = true;
    route.split.guard.requests_min = 50;
    config->routes.append(std::make_shared<const config::Route>(route));
    config_ = config;
  }

  bool until(Node& node, ReleaseStage stage) {
    return run_until(context_, [&] { return node.status().state.stage == stage; });
  }

  boost::asio::io_context context_;
  SharedPages pages_;
  std::shared_ptr<const config::Config> config_;
};

TEST_F(ReleaseControllerTest, OneDrivesAndTheOtherFollows) {
  Node driver(context_, pages_, ReleaseRole::kDrive);
  Node other(context_, pages_, ReleaseRole::kFollow);
  driver.apply(config_);
  other.apply(config_);
  EXPECT_EQ(driver.share(), 1000U);
  EXPECT_EQ(other.share(), 1000U);
  ASSERT_TRUE(until(driver, ReleaseStage::kWaiting)) << "nobody has asked";
  driver.count("v1", 1000, 0);
  driver.count("v2", 100, 0);
  ASSERT_TRUE(until(driver, ReleaseStage::kComplete));
  EXPECT_EQ(other.status().state, driver.status().state);
  EXPECT_EQ(other.share(), 10'000U);
  const auto steps = static_cast<size_t>(policy::ReleaseDecision::kStep);
  EXPECT_EQ(driver.status().decisions[steps], 3U);
  EXPECT_EQ(other.status().decisions[steps], 0U);
}

TEST_F(ReleaseControllerTest, JudgesByWhatAllHaveSeen) {
  Node driver(context_, pages_, ReleaseRole::kDrive);
  Node other(context_, pages_, ReleaseRole::kFollow);
  driver.apply(config_);
  other.apply(config_);
  other.count("v1", 1000, 0);
  other.count("v2", 100, 90);
  ASSERT_TRUE(run_until(context_, [&] {
    return other.controller.testimony().at("orders").seen.released.requests == 100;
  }));
  EXPECT_EQ(other.status().state.stage, driver.status().state.stage) << "it decides nothing";
  const auto told = decode_testimony(encode(other.controller.testimony().at("orders")));
  ASSERT_TRUE(told);
  EXPECT_EQ(*told, other.controller.testimony().at("orders"));
  driver.controller.set_peers({{"orders", {*told}}});
  ASSERT_TRUE(until(driver, ReleaseStage::kRolledBack));
  EXPECT_EQ(driver.status().state.cause, "error_ratio");
  EXPECT_EQ(other.status().state.stage, ReleaseStage::kRolledBack);
  EXPECT_EQ(other.share(), 0U);
}

TEST_F(ReleaseControllerTest, AnyNodeTakesOrders) {
  Node driver(context_, pages_, ReleaseRole::kDrive);
  Node other(context_, pages_, ReleaseRole::kFollow);
  driver.apply(config_);
  other.apply(config_);
  ASSERT_TRUE(other.controller.order("orders", ReleaseOrder::kPromote, "alice"));
  EXPECT_EQ(driver.status().state.stage, ReleaseStage::kComplete);
  EXPECT_EQ(driver.status().state.actor, "alice");
  EXPECT_EQ(driver.share(), 10'000U);
  EXPECT_FALSE(other.controller.order("none", ReleaseOrder::kPause, "alice"));
  other.serves = false;
  EXPECT_FALSE(other.controller.order("orders", ReleaseOrder::kAbort, "alice"));
}

TEST_F(ReleaseControllerTest, AnotherNodeGoesOn) {
  Node other(context_, pages_, ReleaseRole::kFollow);
  {
    Node driver(context_, pages_, ReleaseRole::kDrive);
    driver.apply(config_);
    other.apply(config_);
    ASSERT_TRUE(driver.controller.order("orders", ReleaseOrder::kPause, "alice"));
  }
  EXPECT_EQ(other.status().state.stage, ReleaseStage::kPaused);
  other.controller.set_role(ReleaseRole::kDrive);
  ASSERT_TRUE(other.controller.order("orders", ReleaseOrder::kResume, "alice"));
  other.count("v1", 1000, 0);
  other.count("v2", 100, 0);
  EXPECT_TRUE(until(other, ReleaseStage::kComplete));
}

/// Routes of a config centre come after the process has begun.
TEST_F(ReleaseControllerTest, RemembersRoutesThatAreNotThereYet) {
  {
    Node before(context_, pages_, ReleaseRole::kDrive);
    before.apply(config_);
    ASSERT_TRUE(before.controller.order("orders", ReleaseOrder::kAbort, "alice"));
  }
  Node node(context_, pages_, ReleaseRole::kDrive);
  node.apply(std::make_shared<config::Config>());
  EXPECT_TRUE(node.controller.status().empty());
  node.apply(config_);
  EXPECT_EQ(node.status().state.stage, ReleaseStage::kRolledBack);
  node.apply(std::make_shared<config::Config>());
  node.apply(config_);
  EXPECT_EQ(node.status().state.stage, ReleaseStage::kRolledBack);
  EXPECT_EQ(node.share(), 0U);
}

TEST_F(ReleaseControllerTest, AnotherReleaseBeginsAnew) {
  Node node(context_, pages_, ReleaseRole::kDrive);
  node.apply(config_);
  ASSERT_TRUE(node.controller.order("orders", ReleaseOrder::kAbort, "alice"));
  auto next = std::make_shared<config::Config>(*config_);
  config::Route route = next->routes[0];
  route.split.upstreams[1].version = "2.1";
  next->routes = {};
  next->routes.append(std::make_shared<const config::Route>(route));
  node.apply(next);
  EXPECT_EQ(node.status().state.stage, ReleaseStage::kRamping);
  EXPECT_EQ(node.share(), 1000U);
  ASSERT_TRUE(node.controller.order("orders", ReleaseOrder::kAbort, "alice"));
  next = std::make_shared<config::Config>(*next);
  route.split.guard.p99_delta.millionths = 0;
  next->routes = {};
  next->routes.append(std::make_shared<const config::Route>(route));
  node.apply(next);
  EXPECT_EQ(node.status().state.stage, ReleaseStage::kRamping) << "another guard judges anew";
}

TEST(ReleaseBook, WritesWhatItReads) {
  SavedReleases releases;
  releases.push_back({.route = "orders",
                      .release = "abc",
                      .guard = "def",
                      .state = {.stage = ReleaseStage::kHeld,
                                .share = 4000,
                                .changed_ms = 1'795'000'000'000,
                                .cause = "p99",
                                .numbers = "p99 \"x\"",
                                .actor = "guard",
                                .revision = 7,
                                .baseline = {.known = true, .error_ratio = 0.25, .p99_us = 12}}});
  releases.push_back({.route = "users", .release = {}, .guard = {}, .state = {}});
  EXPECT_EQ(decode_releases(encode(releases)), releases);
  EXPECT_EQ(decode_releases(encode(SavedReleases{})), SavedReleases{});
  std::string other = encode(releases);
  other.replace(other.find("held"), 4, "hold");
  for (const std::string& bad : {std::string(), std::string("{}"), std::string("[]"), other,
                                 std::string(R"({"version":2,"releases":[]})"),
                                 std::string(R"({"version":1,"releases":[{"route":1}]})")}) {
    EXPECT_FALSE(decode_releases(bad)) << bad;
  }
  ReleaseTestimony seen{.release = "x", .judged_from = 3, .seen = {}};
  seen.seen.released.latency[5] = 7;
  std::string told = encode(seen);
  EXPECT_EQ(decode_testimony(told), seen);
  told.replace(told.find("[5,7]"), 5, "[999,7]");
  EXPECT_FALSE(decode_testimony(told));
}

TEST(ReleaseShare, HasAText) {
  EXPECT_EQ(share_text(0), "0%");
  EXPECT_EQ(share_text(100), "1%");
  EXPECT_EQ(share_text(125), "1.25%");
  EXPECT_EQ(share_text(150), "1.5%");
  EXPECT_EQ(share_text(10'000), "100%");
}

}  // namespace
}  // namespace hangu::control
