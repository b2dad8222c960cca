#include "hangu/admin/explain.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hangu::admin {
namespace {

namespace json = boost::json;
using testing::HasSubstr;
using testing::Not;

config::Config sample() {
  config::Config config;
  config.generation = 3;
  config.listeners.emplace_back();
  config.listeners[0].name = "web";
  config.listeners[0].bind.text = "127.0.0.1:8080";
  config.listeners.emplace_back();
  config.listeners[1].name = "strange";
  config.listeners[1].bind.text = "[::]:9090";
  config.listeners[1].unknown_host_status = 421;
  config.listeners[1].underscores = config::UnderscorePolicy::kAllow;
  config::Upstream app;
  app.name = "app";
  app.endpoints.push_back({.host = "app.test", .port = 80, .unix_path = {}});
  config.upstreams.push_back(app);
  config::Route users;
  users.upstream = 0;
  users.name = "users";
  users.match = {
      .hosts = {"a.test"}, .path_exact = {}, .path_prefix = "/users", .methods = {"GET"}};
  users.request_headers.set.push_back({.name = "authorization", .value = "s3cret", .secret = true});
  config.routes.push_back(users);
  config::Route all;
  all.upstream = 0;
  all.name = "all";
  all.match.hosts = {"a.test"};
  all.match.path_prefix = "/users/private";
  all.match.methods = {"POST"};
  config.routes.push_back(all);
  return config;
}

json::object ask(const ExplainRequest& request, const server::GatewayStatus* live = nullptr) {
  auto explanation = explain(sample(), request, {live, {}});
  EXPECT_TRUE(explanation) << request.url;
  return explanation ? *explanation : json::object{};
}

std::string text(const json::value& value, const char* pointer) {
  boost::system::error_code error;
  const json::value* found = value.find_pointer(pointer, error);
  if (found == nullptr) {
    return "(absent)";
  }
  return found->is_string() ? std::string(found->as_string()) : json::serialize(*found);
}

TEST(ExplainTest, EveryRouteSaysWhyItDoesOrDoesNotMatch) {
  const json::object found = ask({.url = "http://a.test:8080/users/1", .headers = {}});
  EXPECT_EQ(text(found, "/outcome"), "matched");
  EXPECT_EQ(text(found, "/route"), "users");
  EXPECT_EQ(text(found, "/generation"), "3");
  const json::array& candidates = found.at("candidates").as_array();
  ASSERT_EQ(candidates.size(), 2U);
  EXPECT_EQ(text(candidates[0], "/route"), "all");
  EXPECT_EQ(text(candidates[0], "/matched"), "false");
  EXPECT_THAT(text(candidates[0], "/reason"), HasSubstr("/users/private"));
  EXPECT_EQ(text(candidates[1], "/chosen"), "true");
  EXPECT_EQ(text(candidates[1], "/reason"), "the most specific match");
}

TEST(ExplainTest, CapturesAndWhatBecomesOfThem) {
  config::Config config = sample();
  config::Route order;
  order.name = "order";
  order.upstream = 0;
  order.match.path_template = "/users/{id}/orders/{order}";
  order.rewrite.path = "/v2/{order}";
  config.routes.push_back(order);
  const auto found =
      explain(config, {.url = "http://b.test:8080/users/42/orders/7", .headers = {}}, {});
  ASSERT_TRUE(found);
  EXPECT_EQ(text(*found, "/route"), "order");
  EXPECT_EQ(text(*found, "/captures/id"), "42");
  EXPECT_EQ(text(*found, "/captures/order"), "7");
  EXPECT_EQ(text(*found, "/forwarded/path"), "/v2/7");
  EXPECT_EQ(text(*found, "/candidates/0/match/path_template"), "/users/{id}/orders/{order}");
}

TEST(ExplainTest, WhoGetsARequestOfASplit) {
  config::Config config = sample();
  config.upstreams.push_back(config.upstreams[0]);
  config.upstreams[1].name = "canary";
  config::Route split;
  split.name = "split";
  split.split.enabled = true;
  split.split.upstreams = {{.upstream = 0, .weight = 1}, {.upstream = 1, .weight = 0}};
  split.split.choice.header = "x-canary";
  split.split.key = {{.kind = config::KeyPart::Kind::kCookie, .name = "sid"}};
  config.routes.push_back(split);
  const auto choice = [&](std::vector<std::string> headers) {
    const auto found = explain(config, {.url = "http://b.test/", .headers = headers}, {});
    EXPECT_TRUE(found);
    return text(*found, "/split_choice/upstream") + ": " + text(*found, "/split_choice/reason");
  };
  EXPECT_EQ(choice({"x-canary: canary"}), "canary: header x-canary names it");
  EXPECT_THAT(choice({"cookie: sid=1"}), HasSubstr("app: its key is in bucket "));
  EXPECT_EQ(choice({"x-canary: other"}), ": at random: it lacks the key");
}

TEST(ExplainTest, TheReplyIsTheOneTheDataPlaneWouldGive) {
  const json::object method =
      ask({.method = "PUT", .url = "http://a.test:8080/users", .headers = {}});
  EXPECT_EQ(text(method, "/outcome"), "method_not_allowed");
  EXPECT_EQ(text(method, "/reply/status"), "405");
  EXPECT_THAT(text(method, "/reply/detail"), HasSubstr("GET"));
  const json::object path = ask({.url = "http://a.test:8080/none", .headers = {}});
  EXPECT_EQ(text(path, "/outcome"), "no_route");
  EXPECT_EQ(text(path, "/reply/status"), "404");
  const json::object host = ask({.url = "http://other.test:8080/users", .headers = {}});
  EXPECT_EQ(text(host, "/outcome"), "no_host");
  EXPECT_EQ(text(host, "/reply/status"), "404");
  EXPECT_EQ(text(ask({.url = "http://other.test:9090/", .headers = {}}), "/reply/status"), "421");
}

TEST(ExplainTest, ConnectReachesNoRoute) {
  const json::object found = ask({.method = "CONNECT", .url = "a.test:8080", .headers = {}});
  EXPECT_EQ(text(found, "/outcome"), "rejected");
  EXPECT_EQ(text(found, "/reply/status"), "501");
}

TEST(ExplainTest, HeadersOfTheRequestCount) {
  const json::object host =
      ask({.url = "http://127.0.0.1:8080/users", .headers = {"HOST:  A.test:8080 "}});
  EXPECT_EQ(text(host, "/request/host"), "a.test");
  EXPECT_EQ(text(host, "/outcome"), "matched");
  const json::object upgrade =
      ask({.url = "http://a.test:8080/users", .headers = {"Upgrade: websocket"}});
  EXPECT_EQ(text(upgrade, "/forwarded/upgrade"), "true");
  const json::object refused = ask({.url = "http://a.test:8080/users", .headers = {"x_id: 1"}});
  EXPECT_EQ(text(refused, "/outcome"), "rejected");
  EXPECT_EQ(text(refused, "/reply/status"), "400");
  EXPECT_EQ(text(ask({.url = "http://a.test:9090/users", .headers = {"x_id: 1"}}), "/outcome"),
            "matched");
}

TEST(ExplainTest, ThePathIsRoutedNormalised) {
  const json::object found = ask({.url = "http://a.test:8080/x/../users//%31", .headers = {}});
  EXPECT_EQ(text(found, "/request/normalised_path"), "/users/1");
  EXPECT_EQ(text(found, "/route"), "users");
  EXPECT_EQ(text(ask({.url = "http://a.test:8080/%zz", .headers = {}}), "/outcome"), "rejected");
  EXPECT_EQ(text(ask({.url = "http://a.test:8080/../..", .headers = {}}), "/outcome"), "rejected");
}

TEST(ExplainTest, EndpointsAreTheLiveOnesWhenAProcessIsAsked) {
  const ExplainRequest request{.url = "http://a.test:8080/users", .headers = {}};
  EXPECT_EQ(text(ask(request), "/upstream/endpoints/0"), "app.test:80");
  EXPECT_EQ(text(ask(request), "/upstream/resolved"), "false");
  server::GatewayStatus live;
  live.upstreams.push_back({"app", {{"192.0.2.7:80", "app.test"}}});
  EXPECT_EQ(text(ask(request, &live), "/upstream/endpoints/0"), "192.0.2.7:80");
  live.upstreams.clear();
  EXPECT_EQ(text(ask(request, &live), "/upstream/endpoints"), "[]");
}

TEST(ExplainTest, WhatIsNoRequestIsAnError) {
  for (const char* method : {"", "G T", "GET\r", "GET:"}) {
    EXPECT_FALSE(explain(sample(), {.method = method, .url = "a", .headers = {}}, {}));
  }
  EXPECT_FALSE(explain(sample(), {.url = "ftp://a", .headers = {}}, {}));
  for (const char* header : {"no colon", ": x", "host: a b", ""}) {
    EXPECT_FALSE(explain(sample(), {.url = "a", .headers = {header}}, {})) << header;
  }
}

TEST(ExplainTest, TheTextSaysTheSameAndNoSecret) {
  const json::object found = ask({.url = "http://a.test:8080/users//1", .headers = {}});
  const std::string plain = explanation_text(found, /*color=*/false);
  EXPECT_THAT(plain, HasSubstr("> users"));
  EXPECT_THAT(plain, HasSubstr("routed as    /users/1"));
  EXPECT_THAT(plain, HasSubstr("set authorization: ***"));
  EXPECT_THAT(plain + json::serialize(found), Not(HasSubstr("s3cret")));
  EXPECT_THAT(plain, Not(HasSubstr("\033")));
  EXPECT_THAT(explanation_text(found, /*color=*/true), HasSubstr("\033[32m"));
}

TEST(ExplainTest, TheTextBearsTheJsonOfAnyOtherVersion) {
  for (const char* strange : {"{}", R"({"candidates":[1,{}],"request":[],"reply":null})",
                              R"({"route":7,"upstream":{"endpoints":"x"},"limits":[]})"}) {
    EXPECT_NO_THROW(explanation_text(json::parse(strange).as_object(), false)) << strange;
  }
}

}  // namespace
}  // namespace hangu::admin
