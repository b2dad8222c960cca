// A Daemon over a FakeGateway, on an io_context that the test runs: what the admin endpoint and the
// client verbs are tried against.
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "hangu/admin/routes.h"

#include "tests/unit/control/fake_gateway.h"
#include "tests/unit/control/run_until.h"

namespace hangu::admin {

class AdminFixture : public testing::Test {
 protected:
  AdminFixture() {
    config::Config config;
    config.source_path = "test.yaml";
    config.log_level = "off";
    config.listeners.emplace_back();
    config.listeners[0].name = "web";
    config.listeners[0].bind.text = "127.0.0.1:8080";
    config::Upstream app;
    app.name = "app";
    app.endpoints.push_back({.host = "192.0.2.1", .port = 80, .unix_path = {}});
    config.upstreams.push_back(app);
    config::Route all;
    all.upstream = 0;
    all.name = "all";
    all.request_headers.set.push_back({.name = "x-key", .value = "s3cret", .secret = true});
    config.routes.push_back(all);
    config.shutdown.lb_delay = Duration::zero();
    loaded_.config = std::move(config);
    control::DaemonOptions options;
    options.load_config = [this] { return loaded_; };
    options.start_gateway = control::FakeGateway::factory(gateway_);
    options.handle_signals = false;
    control::DaemonCallbacks callbacks;
    callbacks.on_stopped = [this] { stopped_ = true; };
    daemon_ = std::make_unique<control::Daemon>(context_, std::move(options), std::move(callbacks));
  }

  void start() { ASSERT_TRUE(daemon_->start()); }

  void start_until_ready() {
    start();
    ASSERT_TRUE(control::run_until(context_, [this] { return daemon_->readiness().ready; }));
  }

  void break_config() {
    loaded_ = {};
    loaded_.diagnostics.push_back({.code = "E0101",
                                   .file = "test.yaml",
                                   .line = 3,
                                   .column = 5,
                                   .message = "it is wrong",
                                   .snippet = {},
                                   .suggestion = {}});
  }

  Reply ask(std::string method, std::string target) {
    std::optional<Reply> answer;
    int calls = 0;
    Context context{*daemon_, administrators_, {}};
    handle(
        {.method = std::move(method), .target = std::move(target), .peer = {}, .authorization = {}},
        context, [&](Reply reply) {
          answer = std::move(reply);
          ++calls;
        });
    EXPECT_TRUE(control::run_until(context_, [&] { return answer.has_value(); }));
    EXPECT_EQ(calls, 1);
    return answer.value_or(Reply{});
  }

  boost::asio::io_context context_;
  control::GatewayRecord gateway_;
  config::LoadResult loaded_;
  Administrators administrators_{[](const std::string&) { return std::nullopt; }};
  bool stopped_ = false;
  std::unique_ptr<control::Daemon> daemon_;
};

}  // namespace hangu::admin
