#include "hangu/control/endpoint_refresher.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/control/dns_double.h"
#include "tests/unit/control/run_until.h"

namespace hangu::control {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using Endpoints = std::vector<server::ResolvedEndpoint>;

config::Upstream upstream(const std::string& name, std::vector<config::Endpoint> endpoints) {
  config::Upstream made;
  made.name = name;
  made.endpoints = std::move(endpoints);
  made.dns_ttl_min = milliseconds(20);
  return made;
}

config::Endpoint host(const std::string& name, uint16_t port) {
  config::Endpoint endpoint;
  endpoint.host = name;
  endpoint.port = port;
  return endpoint;
}

std::vector<std::string> addresses(const Endpoints& endpoints) {
  std::vector<std::string> all;
  for (const server::ResolvedEndpoint& each : endpoints) {
    all.push_back(each.address);
  }
  return all;
}

class EndpointRefresherTest : public testing::Test {
 protected:
  static std::shared_ptr<const config::Config> config_of(std::vector<config::Upstream> upstreams) {
    config::Config config;
    config.upstreams = std::move(upstreams);
    return std::make_shared<const config::Config>(std::move(config));
  }

  bool prepare(const std::shared_ptr<const config::Config>& config, Duration at_most = seconds(5)) {
    bool done = false;
    refresher_.prepare(config, at_most, [&] { done = true; });
    return run_until(context_, [&] { return done; });
  }

  boost::asio::io_context context_;
  DnsDouble server_{context_};
  std::map<std::string, Endpoints> published_;
  int publications_ = 0;
  EndpointRefresher refresher_{context_,
                               [this](const std::string& /*servers*/) {
                                 return make_resolver(context_, {.servers = server_.address(),
                                                                 .query_timeout = milliseconds(100),
                                                                 .tries = 1});
                               },
                               [this](std::string_view name, Endpoints endpoints) {
                                 published_[std::string(name)] = std::move(endpoints);
                                 ++publications_;
                               }};
};

TEST_F(EndpointRefresherTest, NumericUpstreamsNeedNoResolver) {
  config::Endpoint socket;
  socket.unix_path = "/run/app.sock";
  const auto config = config_of({upstream("a", {host("192.0.2.1", 80), host("::1", 81), socket})});
  bool done = false;
  refresher_.prepare(config, seconds(5), [&] { done = true; });
  EXPECT_TRUE(done);
  refresher_.apply(config);
  EXPECT_THAT(refresher_.status(), IsEmpty());
  EXPECT_EQ(publications_, 0);
  EXPECT_EQ(server_.queries(), 0U);
}

TEST_F(EndpointRefresherTest, NamesAndNumbersKeepTheirPlaces) {
  server_.set("app.test", {.v4 = {"192.0.2.7", "192.0.2.6"}});
  const auto config =
      config_of({upstream("a", {host("192.0.2.1", 80), host("app.test", 8080), host("::1", 81)})});
  ASSERT_TRUE(prepare(config));
  refresher_.apply(config);
  EXPECT_THAT(published_["a"],
              ElementsAre(server::ResolvedEndpoint{"192.0.2.1:80", "192.0.2.1:80"},
                          server::ResolvedEndpoint{"192.0.2.6:8080", "app.test:8080"},
                          server::ResolvedEndpoint{"192.0.2.7:8080", "app.test:8080"},
                          server::ResolvedEndpoint{"[::1]:81", "[::1]:81"}));
}

TEST_F(EndpointRefresherTest, AChangedAddressIsPublishedWhenTheTtlEnds) {
  server_.set("app.test", {.v4 = {"192.0.2.1"}, .ttl = 0});
  const auto config = config_of({upstream("a", {host("app.test", 80)})});
  ASSERT_TRUE(prepare(config));
  refresher_.apply(config);
  const int before = publications_;
  server_.set("app.test", {.v4 = {"192.0.2.2"}, .ttl = 0});
  ASSERT_TRUE(run_until(context_, [&] { return publications_ > before; }));
  EXPECT_THAT(addresses(published_["a"]), ElementsAre("192.0.2.2:80"));
}

TEST_F(EndpointRefresherTest, TheSameAnswerIsNotPublishedAgain) {
  server_.set("app.test", {.v4 = {"192.0.2.1"}, .ttl = 0});
  const auto config = config_of({upstream("a", {host("app.test", 80)})});
  ASSERT_TRUE(prepare(config));
  refresher_.apply(config);
  const int before = publications_;
  ASSERT_TRUE(run_until(context_, [&] { return refresher_.status()[0].answers >= 3; }));
  EXPECT_EQ(publications_, before);
}

TEST_F(EndpointRefresherTest, AFailedOrEmptyAnswerKeepsTheLastGoodOne) {
  server_.set("app.test", {.v4 = {"192.0.2.1"}, .ttl = 0});
  const auto config = config_of({upstream("a", {host("app.test", 80)})});
  ASSERT_TRUE(prepare(config));
  refresher_.apply(config);
  server_.erase("app.test");
  ASSERT_TRUE(run_until(context_, [&] { return !refresher_.status()[0].error.empty(); }));
  EXPECT_THAT(refresher_.status()[0].addresses, ElementsAre("192.0.2.1"));
  EXPECT_THAT(addresses(published_["a"]), ElementsAre("192.0.2.1:80"));
  server_.set("app.test", {.v4 = {"192.0.2.5"}, .ttl = 0});
  ASSERT_TRUE(run_until(context_, [&] { return refresher_.status()[0].error.empty(); }));
  EXPECT_THAT(addresses(published_["a"]), ElementsAre("192.0.2.5:80"));
}

TEST_F(EndpointRefresherTest, PreparationEndsInTimeAlthoughTheServerIsSilent) {
  server_.set("silent.test", {.silent = true});
  const auto config = config_of({upstream("a", {host("silent.test", 80)})});
  EXPECT_TRUE(prepare(config, milliseconds(30)));
  refresher_.apply(config);
  EXPECT_EQ(publications_, 0);
  server_.set("silent.test", {.v4 = {"192.0.2.3"}});
  EXPECT_TRUE(run_until(context_, [&] { return publications_ == 1; }));
}

TEST_F(EndpointRefresherTest, NumbersServeWhileTheirNeighbourHasNoAnswer) {
  server_.set("silent.test", {.silent = true});
  const auto config = config_of({upstream("a", {host("192.0.2.1", 80), host("silent.test", 80)})});
  EXPECT_TRUE(prepare(config, milliseconds(30)));
  refresher_.apply(config);
  EXPECT_THAT(addresses(published_["a"]), ElementsAre("192.0.2.1:80"));
  server_.set("silent.test", {.v4 = {"192.0.2.3"}});
  EXPECT_TRUE(run_until(context_, [&] { return published_["a"].size() == 2; }));
}

TEST_F(EndpointRefresherTest, ANewConfigsNamesAreResolvedBeforeItApplies) {
  server_.set("one.test", {.v4 = {"192.0.2.1"}});
  server_.set("two.test", {.v4 = {"192.0.2.2"}});
  const auto first = config_of({upstream("a", {host("one.test", 80)})});
  ASSERT_TRUE(prepare(first));
  refresher_.apply(first);
  const auto second =
      config_of({upstream("a", {host("two.test", 80)}), upstream("b", {host("one.test", 81)})});
  ASSERT_TRUE(prepare(second));
  EXPECT_THAT(addresses(published_["a"]), ElementsAre("192.0.2.1:80"));
  EXPECT_EQ(published_.count("b"), 0U);
  refresher_.apply(second);
  EXPECT_THAT(addresses(published_["a"]), ElementsAre("192.0.2.2:80"));
  EXPECT_THAT(addresses(published_["b"]), ElementsAre("192.0.2.1:81"));
  EXPECT_EQ(refresher_.status().size(), 2U);
}

TEST(EndpointTest, TellsNamesFromNumbers) {
  EXPECT_TRUE(needs_resolving(host("app.test", 80)));
  EXPECT_TRUE(needs_resolving(host("localhost", 80)));
  EXPECT_FALSE(needs_resolving(host("192.0.2.1", 80)));
  EXPECT_FALSE(needs_resolving(host("::1", 80)));
  EXPECT_FALSE(needs_resolving(host("[::1]", 80)));
  EXPECT_EQ(join_host_port("::1", 80), "[::1]:80");
  EXPECT_EQ(join_host_port("[::1]", 80), "[::1]:80");
  EXPECT_EQ(join_host_port("192.0.2.1", 80), "192.0.2.1:80");
}

config::Upstream found_by_srv(const std::string& name, const std::string& srv) {
  config::Upstream made = upstream(name, {});
  made.discovery.srv = srv;
  return made;
}

TEST_F(EndpointRefresherTest, InstancesOfSrvRecordsAreResolvedBeforeAnythingIsSaid) {
  server_.set("_http._tcp.test", {.srv = {{0, 2, 8080, "a.test"}, {1, 3, 81, "b.test"}}});
  server_.set("a.test", {.v4 = {"192.0.2.1", "192.0.2.2"}});
  server_.set("b.test", {.v4 = {"192.0.2.3"}});
  const auto config = config_of({found_by_srv("a", "_http._tcp.test")});
  ASSERT_TRUE(prepare(config));
  EXPECT_EQ(publications_, 0);
  refresher_.apply(config);
  EXPECT_EQ(publications_, 1);
  EXPECT_THAT(published_["a"],
              ElementsAre(server::ResolvedEndpoint{"192.0.2.1:8080", "a.test:8080", 2, 0},
                          server::ResolvedEndpoint{"192.0.2.2:8080", "a.test:8080", 2, 0},
                          server::ResolvedEndpoint{"192.0.2.3:81", "b.test:81", 3, 1}));
}

TEST_F(EndpointRefresherTest, ANewInstanceWithoutAnAnswerTakesNobodyAway) {
  server_.set("_http._tcp.test", {.srv = {{0, 1, 80, "a.test"}}, .ttl = 0});
  server_.set("a.test", {.v4 = {"192.0.2.1"}});
  const auto config = config_of({found_by_srv("a", "_http._tcp.test")});
  ASSERT_TRUE(prepare(config));
  refresher_.apply(config);
  server_.set("b.test", {.silent = true});
  server_.set("_http._tcp.test", {.srv = {{0, 1, 80, "b.test"}}, .ttl = 0});
  ASSERT_TRUE(run_until(context_, [&] {
    return !refresher_.status().empty() && refresher_.status()[0].name == "b.test";
  }));
  EXPECT_THAT(addresses(published_["a"]), ElementsAre("192.0.2.1:80"));
  server_.set("b.test", {.v4 = {"192.0.2.2"}});
  ASSERT_TRUE(run_until(context_, [&] {
    return addresses(published_["a"]) == std::vector<std::string>{"192.0.2.2:80"};
  }));
}

TEST_F(EndpointRefresherTest, OwnEndpointsServeWhileASourceSaysNothing) {
  config::Upstream both = found_by_srv("a", "nobody.test");
  both.endpoints = {host("192.0.2.9", 80)};
  const auto config = config_of({both});
  ASSERT_TRUE(prepare(config));
  refresher_.apply(config);
  EXPECT_THAT(addresses(published_["a"]), ElementsAre("192.0.2.9:80"));
  ASSERT_EQ(refresher_.discoveries().size(), 1U);
  EXPECT_EQ(refresher_.discoveries()[0].state, DiscoveryStatus::State::kStale);
  refresher_.apply(config_of({}));
  EXPECT_THAT(refresher_.discoveries(), IsEmpty());
}

}  // namespace
}  // namespace hangu::control
