// `hangu status`, `reload` and `explain` against an admin endpoint that another thread serves.
#include <future>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hangu/admin/server.h"
#include "hangu/config/load.h"

#include "tests/unit/cli/cli_fixture.h"

namespace hangu::cli {
namespace {

namespace asio = boost::asio;
using testing::HasSubstr;
using testing::IsEmpty;

class ClientVerbsTest : public CliFixture {
 protected:
  ~ClientVerbsTest() override {
    if (server_thread_.joinable()) {
      asio::post(context_, [this] {
        server_->close();
        context_.stop();
      });
      server_thread_.join();
    }
  }

  /// Serves the config in this file, and returns when it is ready.
  void serve(const std::string& path) {
    control::DaemonOptions options;
    options.load_config = [path] { return config::load_file(path); };
    options.start_gateway = start_gateway_;
    options.handle_signals = false;
    std::promise<void> ready;
    control::DaemonCallbacks callbacks;
    callbacks.on_ready = [&ready] { ready.set_value(); };
    daemon_ = std::make_unique<control::Daemon>(context_, std::move(options), std::move(callbacks));
    server_ = std::make_unique<admin::Server>(context_, *daemon_);
    ASSERT_TRUE(daemon_->start());
    ASSERT_TRUE(server_->apply(daemon_->config()->admin));
    server_thread_ = std::thread([this] { context_.run(); });
    ready.get_future().wait();
  }

  std::string socket() const { return folder_ + "/a.sock"; }

  asio::io_context context_;
  std::unique_ptr<control::Daemon> daemon_;
  std::unique_ptr<admin::Server> server_;
  std::thread server_thread_;
};

TEST_F(ClientVerbsTest, NobodyThereIsOne) {
  for (const char* verb : {"status", "reload"}) {
    EXPECT_EQ(hangu({verb, "--socket", socket()}), kRuntimeFailure);
    EXPECT_THAT(err_, HasSubstr(socket()));
    EXPECT_THAT(err_, HasSubstr("is it running?"));
    EXPECT_EQ(hangu({verb, "--config", good_file()}), kRuntimeFailure);
    EXPECT_THAT(err_, HasSubstr(socket()));
  }
  EXPECT_EQ(hangu({"status", "--ready", "--socket", socket()}), kRuntimeFailure);
  EXPECT_EQ(hangu({"status", "--socket", "/" + std::string(200, 'a')}), kRuntimeFailure);
  EXPECT_EQ(hangu({"status", "--socket", "no-slash.sock"}), kRuntimeFailure);
  EXPECT_THAT(err_, HasSubstr("unix:no-slash.sock"));
  EXPECT_EQ(hangu({"status", "--socket", "no-address:x"}), kRuntimeFailure);
  EXPECT_THAT(err_, HasSubstr("neither a socket path nor an address"));
  EXPECT_EQ(hangu({"explain", "GET", "a", "--socket", socket()}), kRuntimeFailure);
}

TEST_F(ClientVerbsTest, StatusForPeopleAndForScripts) {
  serve(good_file());
  EXPECT_EQ(hangu({"status", "--socket", socket()}), kOk) << err_;
  for (const char* text : {": ready", "generation 1", "web", "192.0.2.1:80", "SHARD"}) {
    EXPECT_THAT(out_, HasSubstr(text));
  }
  EXPECT_EQ(hangu({"status", "--json", "--config", good_file()}), kOk) << err_;
  EXPECT_EQ(boost::json::parse(out_).at("state"), "serving");
  EXPECT_EQ(hangu({"status", "--ready", "--socket", "unix:" + socket()}), kOk);
  EXPECT_EQ(out_, "ready\n");
}

TEST_F(ClientVerbsTest, NotReadyIsOne) {
  serve(good_file(/*lb_delay=*/"1h"));
  std::promise<void> terminated;
  asio::post(context_, [&] {
    daemon_->terminate();
    terminated.set_value();
  });
  terminated.get_future().wait();
  EXPECT_EQ(hangu({"status", "--ready", "--socket", socket()}), kRuntimeFailure);
  EXPECT_EQ(out_, "not ready: draining\n");
  EXPECT_EQ(hangu({"reload", "--socket", socket()}), kReloadRefused);
}

TEST_F(ClientVerbsTest, ReloadTellsWhatCameOfIt) {
  const std::string path = good_file();
  serve(path);
  EXPECT_EQ(hangu({"reload", "--config", path}), kOk) << err_;
  EXPECT_THAT(out_, HasSubstr("generation 2 live: 0 connections closed"));
  EXPECT_EQ(hangu({"reload", "--json", "--socket", socket()}), kOk);
  EXPECT_EQ(boost::json::parse(out_).at("applied"), true);
}

TEST_F(ClientVerbsTest, ARefusedReloadIsFourAndTheOldConfigStays) {
  const std::string path = good_file();
  serve(path);
  file("good.yaml", "version: 1\nnonsense: 1\n");
  for (const auto& target : {std::vector<std::string>{"--socket", socket()},
                             std::vector<std::string>{"--config", path}}) {
    EXPECT_EQ(hangu({"reload", target[0], target[1]}), kReloadRefused);
    EXPECT_THAT(err_, HasSubstr("good.yaml:2:1"));
    EXPECT_THAT(err_, HasSubstr("the running config stays"));
    EXPECT_THAT(out_, IsEmpty());
    EXPECT_EQ(hangu({"reload", "--json", target[0], target[1]}), kReloadRefused);
    EXPECT_TRUE(boost::json::parse(out_).as_object().contains("diagnostics"));
  }
  good_file();
  EXPECT_EQ(hangu({"reload", "--socket", socket()}), kOk);
  EXPECT_THAT(out_, HasSubstr("generation 2 live"));
}

TEST_F(ClientVerbsTest, ExplainAsksTheProcess) {
  serve(good_file());
  EXPECT_EQ(hangu({"explain", "GET", "http://a/users", "--json", "--socket", socket()}), kOk);
  const auto found = boost::json::parse(out_);
  EXPECT_EQ(found.at("route"), "users");
  EXPECT_EQ(found.at("upstream").at("resolved"), true);
  EXPECT_EQ(hangu({"explain", "GET", "ftp://a/", "--socket", socket()}), kRuntimeFailure);
  EXPECT_THAT(err_, HasSubstr("ftp"));
}

}  // namespace
}  // namespace hangu::cli
