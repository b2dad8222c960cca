#include "hangu/admin/json.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "tests/unit/config/golden.h"

namespace hangu::admin {
namespace {

namespace json = boost::json;
using std::chrono::seconds;

control::DaemonStatus sample_status() {
  control::DaemonStatus status;
  status.readiness = {false, "draining"};
  status.state = control::DrainState::kDraining;
  status.uptime = seconds(90);
  status.started = WallTime(seconds(1'700'000'000));
  status.config_path = "/etc/hangu/hangu.yaml";
  status.gateway.event_loop = "epoll";
  status.gateway.generation = 4;
  status.gateway.listeners.push_back({"web", "127.0.0.1:8080"});
  status.gateway.upstreams.push_back({"app", {{"192.0.2.1:80", "app.test"}}});
  status.gateway.upstreams.push_back({"empty", {}});
  status.gateway.shards.push_back({.id = 0,
                                   .cpu = -1,
                                   .generation = 4,
                                   .connections = 2,
                                   .requests_active = 1,
                                   .requests_total = 12});
  status.names.push_back({"app", "app.test", {"192.0.2.1"}, "timeout", 3});
  status.last_reload = control::LastReload{WallTime(seconds(1'700'000'060)), false, 4, "wrong", {}};
  return status;
}

TEST(AdminJsonTest, StatusHasItsPromisedFields) {
  json::object status = status_json(sample_status(), 0);
  EXPECT_EQ(status.at("version"), HANGU_VERSION);
  EXPECT_GT(status.at("pid").as_int64(), 0);
  status["version"] = "V";  // these two differ from run to run
  status["pid"] = 1;
  test::expect_golden(test::source_root() / "tests/golden/admin/status.json",
                      pretty(status) + "\n");
}

TEST(AdminJsonTest, ReloadHasItsPromisedFields) {
  control::ReloadOutcome outcome;
  outcome.kind = control::ReloadOutcome::Kind::kApplied;
  outcome.report.generation = 5;
  outcome.report.streams_on_old_generation = 3;
  outcome.report.listeners_added = {"new"};
  outcome.report.listeners_removed = {"old"};
  outcome.report.restart_required = {"workers"};
  outcome.changes.push_back({"workers", "2", "4", config::ReloadClass::kRestart});
  test::expect_golden(test::source_root() / "tests/golden/admin/reload.json",
                      pretty(reload_json(outcome)) + "\n");
}

TEST(AdminJsonTest, NoReloadYetIsNull) {
  control::DaemonStatus status;
  EXPECT_TRUE(status_json(status, 0).at("last_reload").is_null());
}

TEST(AdminJsonTest, WallTimeIsUtc) {
  EXPECT_EQ(format_wall_time(WallTime(seconds(0))), "1970-01-01T00:00:00Z");
  EXPECT_EQ(format_wall_time(WallTime(seconds(1'700'000'000))), "2023-11-14T22:13:20Z");
}

TEST(AdminJsonTest, PrettyIsTheSameJson) {
  const json::value value =
      json::parse(R"({"a":[1,{"b":"x\ny\u0001"},[]],"c":{},"d":null,"e\"":-1})");
  EXPECT_EQ(json::parse(pretty(value)), value);
  EXPECT_EQ(pretty(json::parse(R"({"a":[1,2],"b":{}})")),
            "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": {}\n}");
}

}  // namespace
}  // namespace hangu::admin
