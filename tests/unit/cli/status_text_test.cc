// What `hangu status` prints, from the JSON that the process really makes.
#include "cli/status_text.h"

#include <sstream>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "hangu/admin/json.h"

#include "tests/unit/config/golden.h"

namespace hangu::cli {
namespace {

namespace json = boost::json;
using std::chrono::milliseconds;
using std::chrono::seconds;

control::DaemonStatus plain_status() {
  control::DaemonStatus status;
  status.readiness = {true, "ready"};
  status.uptime = seconds(93'784);
  status.config_path = "/etc/hangu/hangu.yaml";
  status.gateway.event_loop = "io_uring";
  status.gateway.generation = 7;
  status.gateway.listeners.push_back({"web", "[::]:443"});
  status.gateway.upstreams.push_back({"app", {{"192.0.2.1:80", "app.test"}}});
  status.gateway.shards.push_back({.id = 0,
                                   .cpu = 0,
                                   .generation = 7,
                                   .connections = 412,
                                   .requests_active = 31,
                                   .requests_total = 48'112'907});
  return status;
}

/// With one of everything that may be configured, and in trouble.
control::DaemonStatus full_status() {
  control::DaemonStatus status = plain_status();
  server::GatewayStatus& gateway = status.gateway;
  server::UpstreamStatus& app = gateway.upstreams.front();
  app.endpoints.push_back({.address = "192.0.2.2:80",
                           .order = "drain",
                           .check = "bad",
                           .ejected_for = milliseconds(1500)});
  app.circuit = {.state = "open", .cause = "failure_ratio", .next_probe = milliseconds(12'300)};
  app.adaptive.enabled = true;
  app.adaptive.limit = {
      .limit = 74, .under_way = 61, .baseline_ns = 20'300'000, .latency_ns = 24'100'000};
  app.admission = {.enabled = true, .rejected = 1204};
  app.limits = {{.resource = "requests", .used = 90, .max = 100}};
  app.queued = 4;
  server::UpstreamStatus other{.name = "other"};
  other.admission = {.enabled = true, .shadow = true, .shadow_rejected = 0};
  gateway.upstreams.push_back(other);
  gateway.logouts = {.enabled = true, .remembered = 812, .without_room = 3};
  status.logout_sharing = {
      .enabled = true, .error = "127.0.0.1:2379: Connection refused", .waiting = 6, .shared = 1904};
  gateway.rate_limits = {
      {.name = "per-client", .mode = "enforce", .allowed = 48'000'123, .rejected = 90'211},
      {.name = "everything", .mode = "shadow", .allowed = 48'000'123, .shadow_rejected = 17},
      {.name = "per-app", .mode = "enforce", .allowed = 12, .rejected = 0, .without_store = 3},
      {.name = "not-now", .mode = "off"}};
  gateway.concurrency_limits = {{.name = "reports",
                                 .mode = "enforce",
                                 .max = 4,
                                 .active = 9,
                                 .allowed = 1203,
                                 .rejected = 55}};
  gateway.bandwidth_limits = {{.name = "downloads",
                               .mode = "enforce",
                               .request_bytes = 340,
                               .response_bytes = 13'002'342'400,
                               .pauses = 81'231},
                              {.name = "try",
                               .mode = "shadow",
                               .request_bytes = 2048,
                               .response_bytes = 1'048'576,
                               .shadow_pauses = 5}};
  gateway.stores = {
      {.name = "shared", .address = "127.0.0.1:6379", .up = true, .asked = 90'000, .late = 2},
      {.name = "far",
       .address = "redis.internal:6380",
       .reason = "TLS: unable to get local issuer certificate",
       .asked = 12}};
  gateway.route_circuits = {
      {.route = "orders", .circuit = {.state = "half_open", .cause = "slow"}}};
  gateway.overload.enabled = true;
  gateway.overload.memory = {.value = 3'758'096'384, .most = 4'294'967'296, .step = "shed_low"};
  gateway.overload.descriptors = {.value = 812, .most = 65'536, .step = "none"};
  gateway.shards.front().overload_step = "shed_low";
  gateway.shards.push_back({.id = 1,
                            .cpu = -1,
                            .generation = 7,
                            .connections = 3,
                            .requests_active = 2,
                            .requests_total = 17,
                            .delay = milliseconds(31),
                            .accept_queue = 140,
                            .accept_queue_max = 4096,
                            .overload_step = "shed_normal"});
  return status;
}

/// With what differs from run to run made the same.
std::string text_of(const control::DaemonStatus& status, bool color = false) {
  json::object body = admin::status_json(status, 0);
  body["version"] = "V";
  body["pid"] = 1;
  std::ostringstream out;
  std::ostringstream err;
  print_status(body, {.start_gateway = {}, .out = out, .err = err, .color_out = color});
  return out.str();
}

void expect_text(const std::string& name, const std::string& text) {
  test::expect_golden(test::source_root() / "tests/golden/cli" / name, text);
}

TEST(StatusTextTest, OnlyWhatIsConfigured) {
  expect_text("status_plain.txt", text_of(plain_status()));
}

TEST(StatusTextTest, LimitsStoresAndOverload) {
  expect_text("status_full.txt", text_of(full_status()));
}

TEST(StatusTextTest, ColoursChangeNothingButColours) {
  std::string text = text_of(full_status(), true);
  EXPECT_NE(text.find("\033["), std::string::npos);
  for (size_t at = text.find('\033'); at != std::string::npos; at = text.find('\033')) {
    text.erase(at, text.find('m', at) + 1 - at);
  }
  EXPECT_EQ(text, text_of(full_status()));
}

TEST(StatusTextTest, LinesFitATerminal) {
  std::istringstream lines(text_of(full_status()));
  for (std::string line; std::getline(lines, line);) {
    EXPECT_LE(line.size(), 130U) << line;
    EXPECT_TRUE(line.empty() || line.back() != ' ') << line;
  }
}

TEST(StatusTextTest, OtherVersionsMayTellLess) {
  std::ostringstream out;
  std::ostringstream err;
  const json::object body =
      json::parse(R"({"rate_limits":[{"name":"a"},7],"stores":[{}],"overload":{"shards":3},
                      "bandwidth_limits":{},"concurrency_limits":[null]})")
          .as_object();
  print_status(body, {.start_gateway = {}, .out = out, .err = err});
  EXPECT_NE(out.str().find("RATE LIMIT"), std::string::npos);
  EXPECT_EQ(out.str().find("CONCURRENCY LIMIT"), std::string::npos);
}

}  // namespace
}  // namespace hangu::cli
