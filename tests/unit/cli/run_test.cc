// `hangu run` and `hangu check` up to their exit codes, over a gateway without a data plane.
#include <csignal>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/cli/cli_fixture.h"

namespace hangu::cli {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class RunTest : public CliFixture {
 protected:
  /// The signal waits until the daemon listens for it: shards start with all signals blocked.
  void raise_at_start(int number) {
    start_gateway_ = [this, number](std::shared_ptr<const config::Config> config,
                                    server::Callbacks callbacks, server::Inheritance inherited) {
      ::raise(number);
      return control::FakeGateway::factory(gateway_)(std::move(config), std::move(callbacks),
                                                     std::move(inherited));
    };
  }
};

TEST_F(RunTest, ServesUntilASignalThenDrainsAndEndsWell) {
  for (const int number : {SIGTERM, SIGINT}) {
    raise_at_start(number);
    EXPECT_EQ(hangu({"run", "--config", good_file()}), kOk) << err_;
    EXPECT_FALSE(gateway_.alive);
    EXPECT_FALSE(std::filesystem::exists(folder_ + "/a.sock"));
  }
  EXPECT_EQ(gateway_.drains, 2);
}

TEST_F(RunTest, QuitDoesNotDrain) {
  raise_at_start(SIGQUIT);
  EXPECT_EQ(hangu({"run", "--config", good_file()}), kOk);
  EXPECT_EQ(gateway_.drains, 0);
}

TEST_F(RunTest, OptionsOverrideTheFile) {
  raise_at_start(SIGQUIT);
  EXPECT_EQ(hangu({"run", "-c", good_file(), "--event-loop", "epoll", "--workers", "5"}), kOk);
  EXPECT_EQ(gateway_.config->workers, 5U);
  EXPECT_EQ(gateway_.config->event_loop, config::EventLoopKind::kEpoll);
}

TEST_F(RunTest, WrongOptionsAreWrongUsage) {
  EXPECT_EQ(hangu({"run", "-c", good_file(), "--event-loop", "kqueue"}), kUsage);
  EXPECT_EQ(hangu({"run", "-c", good_file(), "--workers", "0"}), kUsage);
  EXPECT_EQ(gateway_.config, nullptr);
}

TEST_F(RunTest, AnInvalidConfigStartsNothing) {
  EXPECT_EQ(hangu({"run", "-c", file("bad.yaml", "version: 1\nnonsense: 1\n")}), kInvalidConfig);
  EXPECT_THAT(err_, HasSubstr("bad.yaml:2:1"));
  EXPECT_THAT(err_, HasSubstr("nothing was started"));
  EXPECT_EQ(hangu({"run", "-c", folder_ + "/none.yaml"}), kInvalidConfig);
  EXPECT_EQ(gateway_.config, nullptr);
}

TEST_F(RunTest, WhatCannotBeBoundIsFive) {
  gateway_.start_error = "listener web: cannot bind 127.0.0.1:80: Permission denied";
  EXPECT_EQ(hangu({"run", "-c", good_file()}), kCannotBind);
  EXPECT_THAT(err_, HasSubstr("Permission denied"));
  gateway_.start_error = "event loop: no memory";
  EXPECT_EQ(hangu({"run", "-c", good_file()}), kRuntimeFailure);
}

TEST_F(RunTest, AnAdminSocketThatCannotBeIsFiveBeforeAnythingStarts) {
  std::filesystem::create_directory(folder_ + "/a.sock");
  EXPECT_EQ(hangu({"run", "-c", good_file()}), kCannotBind);
  EXPECT_THAT(err_, HasSubstr("a.sock"));
  EXPECT_EQ(gateway_.config, nullptr);
}

TEST_F(RunTest, CheckSaysOkOrThree) {
  EXPECT_EQ(hangu({"check", good_file()}), kOk);
  EXPECT_THAT(out_, HasSubstr("ok: 1 listener, 1 route, 1 upstream"));
  EXPECT_THAT(err_, IsEmpty());
  EXPECT_EQ(hangu({"check", file("bad.yaml", "version: 1\nnonsense: 1\n")}), kInvalidConfig);
  EXPECT_THAT(out_, IsEmpty());
  EXPECT_THAT(err_, HasSubstr("bad.yaml:2:1"));
  EXPECT_EQ(hangu({"check", "--config", folder_ + "/none.yaml"}), kInvalidConfig);
  EXPECT_EQ(hangu({"check", "--json", folder_ + "/bad.yaml"}), kInvalidConfig);
  EXPECT_EQ(boost::json::parse(out_).at("ok"), false);
}

TEST_F(RunTest, StrictTakesWarningsForErrors) {
  const std::string path =
      file("warn.yaml",
           "version: 1\n"
           "listeners: [{name: web, bind: \"127.0.0.1:0\"}]\n"
           "upstreams: [{name: app, endpoints: [\"127.0.0.1:9\"]}, {name: unused, endpoints: "
           "[\"127.0.0.1:9\"]}]\n"
           "routes: [{name: all, upstream: app}]\n");
  EXPECT_EQ(hangu({"check", path}), kOk);
  EXPECT_THAT(err_, HasSubstr("warning"));
  EXPECT_EQ(hangu({"check", "--strict", path}), kInvalidConfig);
}

TEST_F(RunTest, ExplainReadsTheFile) {
  EXPECT_EQ(hangu({"explain", "GET", "http://a/users/1", "-c", good_file()}), kOk);
  EXPECT_THAT(out_, HasSubstr("> users"));
  EXPECT_EQ(hangu({"explain", "PUT", "a/users", "--json", "-c", good_file()}), kOk);
  EXPECT_EQ(boost::json::parse(out_).at("outcome"), "method_not_allowed");
  EXPECT_EQ(hangu({"explain", "http://a/users", "-H", "x-a: 1", "-H", "Host: b", "--json", "-c",
                   good_file()}),
            kOk);
  EXPECT_EQ(boost::json::parse(out_).at("request").at("host"), "b");
  EXPECT_EQ(hangu({"explain", "GET", "ftp://a/", "-c", good_file()}), kRuntimeFailure);
  EXPECT_EQ(hangu({"explain", "GET", "http://a/", "-c", folder_ + "/none.yaml"}), kInvalidConfig);
}

TEST_F(RunTest, ExplainKnowsErrorCodes) {
  EXPECT_EQ(hangu({"explain", "e0123"}), kOk);
  EXPECT_THAT(out_, HasSubstr("unknown key"));
  EXPECT_EQ(hangu({"explain", "E9999"}), kRuntimeFailure);
  EXPECT_THAT(err_, HasSubstr("E9999"));
}

}  // namespace
}  // namespace hangu::cli
