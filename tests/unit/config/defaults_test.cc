// What a file does not say is what config.h says.
#include <gtest/gtest.h>

#include "hangu/config/load.h"
#include "hangu/config/print.h"

namespace hangu::config {
namespace {

constexpr std::string_view kSmallest =
    "version: 1\n"
    "listeners: [{name: web, bind: '127.0.0.1:8080'}]\n"
    "upstreams: [{name: app, endpoints: ['127.0.0.1:9000']}]\n"
    "routes: [{name: all, upstream: app}]\n";

Config load(std::string_view text) {
  LoadResult loaded = load_text(text, "test.yaml", {.host_name = "test"});
  EXPECT_EQ(format_diagnostics(loaded.diagnostics, false), "");
  return loaded.config.value_or(Config{});
}

TEST(Defaults, AreThoseOfTheStructs) {
  const Config config = load(kSmallest);
  Config expected;
  expected.source_path = "test.yaml";
  expected.node = "test";
  expected.listeners.push_back({.name = "web", .bind = {"127.0.0.1:8080"}});
  expected.upstreams.push_back(
      {.name = "app", .endpoints = {{.host = "127.0.0.1", .port = 9000, .unix_path = {}}}});
  Route route;
  route.upstream = 0;
  route.name = "all";
  expected.routes.push_back(route);
  EXPECT_TRUE(config == expected) << print_effective(config);
}

TEST(Defaults, SafeOnes) {
  const Config config = load(kSmallest);
  EXPECT_TRUE(config.listeners[0].trusted_proxies.empty());
  EXPECT_EQ(config.listeners[0].underscores, UnderscorePolicy::kReject);
  EXPECT_EQ(config.listeners[0].encoded_slash, EncodedSlashPolicy::kReject);
  EXPECT_TRUE(config.admin.tcp_bind.empty());
  EXPECT_NE(config.routes[0].timeout, Duration::zero());
}

TEST(Defaults, PrintedConfigLoadsAsTheSame) {
  const Config config = load(kSmallest);
  Config again = load(print_effective(config));
  EXPECT_TRUE(again == config) << print_effective(config) << print_effective(again);
}

TEST(Secrets, AreNeverPrinted) {
  const LoadResult secret = load_text(
      "version: 1\n"
      "listeners: [{name: web, bind: '127.0.0.1:8080'}]\n"
      "upstreams: [{name: app, endpoints: ['127.0.0.1:9000']}]\n"
      "routes:\n"
      "  - name: all\n"
      "    upstream: app\n"
      "    request_headers:\n"
      "      set: {authorization: 'Bearer plain-secret', x-a: '${TOKEN}', x-b: 'file:/secret'}\n"
      "      add: {x-open: visible}\n",
      "test.yaml",
      {.environment = [](std::string_view) -> std::optional<std::string> { return "env-secret"; },
       .read_file = [](const std::string&) -> Result<std::string, std::string> {
         return std::string("file-secret\n");
       },
       .host_name = "test"});
  ASSERT_TRUE(secret.config.has_value()) << format_diagnostics(secret.diagnostics, false);
  const auto& fields = secret.config->routes[0].request_headers.set;
  ASSERT_EQ(fields.size(), 3U);
  EXPECT_EQ(fields[1].value, "env-secret");
  EXPECT_EQ(fields[2].value, "file-secret");
  const std::string printed = print_effective(*secret.config);
  EXPECT_EQ(printed.find("secret"), std::string::npos) << printed;
  EXPECT_NE(printed.find("visible"), std::string::npos);
  EXPECT_NE(printed.find("***"), std::string::npos);
}

TEST(Units, DurationsSizesAndTheirLimits) {
  const Config config = load(
      "version: 1\n"
      "listeners: [{name: web, bind: '127.0.0.1:8080', timeouts: {idle: 1500ms}}]\n"
      "upstreams: [{name: app, endpoints: ['127.0.0.1:9000'], timeouts: {connect: 1s}}]\n"
      "routes: [{name: all, upstream: app, timeout: 2m, body_max: 64KiB}]\n"
      "shutdown: {lb_delay: 0}\n");
  EXPECT_EQ(config.listeners[0].timeouts.idle, std::chrono::milliseconds(1500));
  EXPECT_EQ(config.upstreams[0].connect_timeout, std::chrono::seconds(1));
  EXPECT_EQ(config.routes[0].timeout, std::chrono::minutes(2));
  EXPECT_EQ(config.routes[0].body_bytes_max, 65536U);
  EXPECT_EQ(config.shutdown.lb_delay, Duration::zero());
}

}  // namespace
}  // namespace hangu::config
