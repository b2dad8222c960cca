#include "hangu/control/daemon.h"

#include <chrono>
#include <csignal>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/control/dns_double.h"
#include "tests/unit/control/fake_gateway.h"
#include "tests/unit/control/run_until.h"

namespace hangu::control {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using Kind = ReloadOutcome::Kind;

config::Config small_config() {
  config::Config config;
  config.source_path = "test.yaml";
  config.log_level = "off";
  config.listeners.emplace_back();
  config.listeners[0].name = "web";
  config.listeners[0].bind.text = "127.0.0.1:0";
  config::Upstream upstream;
  upstream.name = "app";
  upstream.endpoints.push_back({.host = "192.0.2.1", .port = 80, .unix_path = {}});
  config.upstreams.push_back(upstream);
  config.shutdown.lb_delay = Duration::zero();
  return config;
}

config::LoadResult broken_config() {
  config::LoadResult loaded;
  loaded.diagnostics.push_back({.code = "E0101",
                                .file = "test.yaml",
                                .line = 3,
                                .column = 5,
                                .message = "it is wrong",
                                .snippet = {},
                                .suggestion = {}});
  return loaded;
}

class DaemonTest : public testing::Test {
 protected:
  DaemonTest() { loaded_.config = small_config(); }

  DaemonOptions options(bool signals = false) {
    DaemonOptions made;
    made.load_config = [this] {
      ++loads_;
      return loaded_;
    };
    made.start_gateway = FakeGateway::factory(gateway_);
    made.make_resolver = [this](const std::string& /*servers*/) {
      return make_resolver(
          context_, {.servers = dns_.address(), .query_timeout = milliseconds(100), .tries = 1});
    };
    made.handle_signals = signals;
    made.reload_interval_min = milliseconds(30);
    return made;
  }

  void start(bool signals = false) {
    DaemonCallbacks callbacks;
    callbacks.on_stopped = [this] { stopped_ = true; };
    daemon_ = std::make_unique<Daemon>(context_, options(signals), std::move(callbacks));
    ASSERT_TRUE(daemon_->start());
    ASSERT_TRUE(run_until(context_, [&] { return daemon_->readiness().ready; }));
  }

  ReloadOutcome reload() {
    std::optional<ReloadOutcome> outcome;
    daemon_->reload([&](ReloadOutcome got) { outcome = std::move(got); });
    EXPECT_TRUE(run_until(context_, [&] { return outcome.has_value(); }));
    return outcome.value_or(ReloadOutcome{});
  }

  boost::asio::io_context context_;
  DnsDouble dns_{context_};
  GatewayRecord gateway_;
  config::LoadResult loaded_;
  int loads_ = 0;
  bool stopped_ = false;
  std::unique_ptr<Daemon> daemon_;
};

TEST_F(DaemonTest, StartServesGenerationOne) {
  start();
  EXPECT_TRUE(gateway_.alive);
  EXPECT_EQ(gateway_.config->generation, 1U);
  const DaemonStatus status = daemon_->status();
  EXPECT_EQ(status.config_path, "test.yaml");
  EXPECT_EQ(status.readiness.reason, "ready");
  EXPECT_FALSE(status.last_reload);
}

TEST_F(DaemonTest, InvalidConfigStartsNothing) {
  loaded_ = broken_config();
  Daemon daemon(context_, options());
  const auto started = daemon.start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().kind, StartError::Kind::kInvalidConfig);
  EXPECT_EQ(started.error().message, "test.yaml:3:5: E0101: it is wrong");
  EXPECT_EQ(started.error().diagnostics.size(), 1U);
  EXPECT_EQ(gateway_.config, nullptr);
}

TEST_F(DaemonTest, GatewayThatCannotStartIsReported) {
  gateway_.start_error = "cannot bind 127.0.0.1:80";
  Daemon daemon(context_, options());
  const auto started = daemon.start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().kind, StartError::Kind::kGateway);
  EXPECT_EQ(started.error().message, "cannot bind 127.0.0.1:80");
}

TEST_F(DaemonTest, WhatMustComeBeforeTheGatewayCanForbidIt) {
  DaemonCallbacks callbacks;
  callbacks.before_gateway = [](const config::Config&) -> Result<void, std::string> {
    return Failure<std::string>{"no"};
  };
  Daemon daemon(context_, options(), std::move(callbacks));
  const auto started = daemon.start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().kind, StartError::Kind::kBeforeGateway);
  EXPECT_FALSE(gateway_.alive);
}

TEST_F(DaemonTest, ReloadPublishesTheNextGeneration) {
  start();
  loaded_.config->upstreams[0].endpoints[0].port = 81;
  const ReloadOutcome outcome = reload();
  EXPECT_EQ(outcome.kind, Kind::kApplied);
  EXPECT_EQ(outcome.report.generation, 2U);
  EXPECT_EQ(outcome.report.streams_on_old_generation, 3U);
  EXPECT_EQ(daemon_->config()->upstreams[0].endpoints[0].port, 81);
  ASSERT_TRUE(daemon_->status().last_reload);
  EXPECT_TRUE(daemon_->status().last_reload->applied);
}

TEST_F(DaemonTest, BadConfigKeepsTheOldAndIsRemembered) {
  start();
  const auto before = daemon_->config();
  loaded_ = broken_config();
  const ReloadOutcome outcome = reload();
  EXPECT_EQ(outcome.kind, Kind::kInvalidConfig);
  EXPECT_EQ(outcome.diagnostics.size(), 1U);
  EXPECT_EQ(daemon_->config(), before);
  EXPECT_EQ(gateway_.applied, 0);
  ASSERT_TRUE(daemon_->status().last_reload);
  EXPECT_FALSE(daemon_->status().last_reload->applied);
  EXPECT_EQ(daemon_->status().last_reload->error, "test.yaml:3:5: E0101: it is wrong");
  EXPECT_TRUE(daemon_->readiness().ready);

  loaded_ = {};
  loaded_.config = small_config();
  EXPECT_EQ(reload().report.generation, 2U);
  EXPECT_TRUE(daemon_->status().last_reload->applied);
}

TEST_F(DaemonTest, ConfigThatTheGatewayRefusesKeepsTheOld) {
  start();
  gateway_.apply_error = "cannot bind 127.0.0.1:80";
  const ReloadOutcome outcome = reload();
  EXPECT_EQ(outcome.kind, Kind::kRefused);
  EXPECT_EQ(outcome.error, "cannot bind 127.0.0.1:80");
  EXPECT_EQ(daemon_->config()->generation, 1U);
  gateway_.apply_error.clear();
  EXPECT_EQ(reload().report.generation, 2U);
}

TEST_F(DaemonTest, KeysThatNeedARestartAreNamed) {
  start();
  loaded_.config->workers = 7;
  EXPECT_THAT(reload().report.restart_required, ElementsAre("workers"));
}

TEST_F(DaemonTest, NamesAreResolvedBeforeReadiness) {
  dns_.set("app.test", {.v4 = {"192.0.2.8"}});
  loaded_.config->upstreams[0].endpoints[0].host = "app.test";
  start();
  ASSERT_EQ(gateway_.endpoints.count("app"), 1U);
  EXPECT_EQ(gateway_.endpoints["app"][0].address, "192.0.2.8:80");
}

TEST_F(DaemonTest, NamesOfANewConfigAreResolvedBeforeItIsLive) {
  start();
  dns_.set("app.test", {.v4 = {"192.0.2.8"}});
  loaded_.config->upstreams[0].endpoints[0].host = "app.test";
  EXPECT_EQ(reload().kind, Kind::kApplied);
  EXPECT_EQ(gateway_.endpoints["app"][0].address, "192.0.2.8:80");
}

TEST_F(DaemonTest, ASecondReloadAtTheSameTimeIsRefused) {
  start();
  dns_.set("slow.test", {.silent = true});
  loaded_.config->upstreams[0].endpoints[0].host = "slow.test";
  bool first = false;
  daemon_->reload([&](const ReloadOutcome&) { first = true; });
  EXPECT_EQ(reload().kind, Kind::kRefused);
  EXPECT_TRUE(run_until(context_, [&] { return first; }));
}

TEST_F(DaemonTest, TerminateDrainsAndStopsWhenTheLastStreamHasEnded) {
  start();
  daemon_->terminate();
  EXPECT_FALSE(daemon_->readiness().ready);
  EXPECT_EQ(daemon_->readiness().reason, "draining");
  EXPECT_EQ(gateway_.drains, 1);
  EXPECT_EQ(reload().kind, Kind::kRefused);
  EXPECT_FALSE(stopped_);
  gateway_.callbacks.on_drained();
  EXPECT_TRUE(run_until(context_, [&] { return stopped_; }));
  EXPECT_FALSE(gateway_.alive);
}

TEST_F(DaemonTest, ReadinessGoesOffWhileStillAccepting) {
  loaded_.config->shutdown.lb_delay = seconds(30);
  start();
  daemon_->terminate();
  EXPECT_FALSE(daemon_->readiness().ready);
  EXPECT_EQ(gateway_.drains, 0);
  daemon_->terminate();
  EXPECT_EQ(gateway_.drains, 1);
  daemon_->terminate();
  EXPECT_TRUE(stopped_);
}

TEST_F(DaemonTest, DrainTimeoutStopsTheRest) {
  loaded_.config->shutdown.drain_timeout = milliseconds(10);
  start();
  daemon_->terminate();
  EXPECT_TRUE(run_until(context_, [&] { return stopped_; }));
}

TEST_F(DaemonTest, SignalsReloadReopenAndStop) {
  start(/*signals=*/true);
  ::raise(SIGHUP);
  EXPECT_TRUE(run_until(context_, [&] { return gateway_.applied == 1; }));
  ::raise(SIGUSR1);
  EXPECT_TRUE(run_until(context_, [&] { return gateway_.reopened == 1; }));
  ::raise(SIGTERM);
  EXPECT_TRUE(run_until(context_, [&] { return gateway_.drains == 1; }));
  ::raise(SIGQUIT);
  EXPECT_TRUE(run_until(context_, [&] { return stopped_; }));
}

TEST_F(DaemonTest, AStormOfHangupsIsTwoReloads) {
  start(/*signals=*/true);
  ::raise(SIGHUP);
  ASSERT_TRUE(run_until(context_, [&] { return gateway_.applied == 1; }));
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < 5; ++i) {
    ::raise(SIGHUP);
    context_.restart();
    context_.poll();
  }
  if (std::chrono::steady_clock::now() - began > milliseconds(20)) {
    GTEST_SKIP() << "the machine is too slow for a storm";
  }
  ASSERT_TRUE(run_until(context_, [&] { return gateway_.applied == 2; }));
  run_until(
      context_, [] { return false; }, milliseconds(60));
  EXPECT_EQ(gateway_.applied, 2);
}

}  // namespace
}  // namespace hangu::control
