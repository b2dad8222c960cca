#include "hangu/admin/explain.h"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

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

/// What the route or, with "policy", its upstream does by that name; "(absent)".
std::string does(const json::object& found, std::string_view name,
                 std::string_view key = "action") {
  const json::value* const list = key == "action"
                                      ? found.if_contains("actions")
                                      : found.at("upstream").as_object().if_contains("policies");
  for (const json::value& each : list != nullptr ? list->as_array() : json::array()) {
    if (each.at(key).as_string() == name) {
      return std::string(std::string_view(each.at("does").as_string()));
    }
  }
  return "(absent)";
}

/// Of a route for http://b.test/ and all below, made by `change` of a config and that route.
template <class Change>
json::object ask_about(ExplainRequest request, const Change& change) {
  config::Config config = sample();
  config.upstreams.push_back(config.upstreams[0]);
  config.upstreams[1].name = "other";
  config::Route route;
  route.name = "b";
  route.upstream = 0;
  route.match.hosts = {"b.test"};
  change(config, route);
  config.routes.push_back(route);
  if (request.url.empty()) {
    request.url = "http://b.test/";
  }
  auto explanation = explain(config, request, {});
  EXPECT_TRUE(explanation) << request.url;
  return explanation ? *explanation : json::object{};
}

TEST(ExplainTest, WhoTheClientIs) {
  const auto client = [](std::string peer, std::string forwarded, const char* trusts) {
    ExplainRequest request{.url = {}, .headers = {}, .client = std::move(peer)};
    if (!forwarded.empty()) {
      request.headers.push_back("X-Forwarded-For: " + forwarded);
    }
    const json::object found = ask_about(request, [&](config::Config& config, config::Route&) {
      if (*trusts != '\0') {
        config.listeners[0].trusted_proxies = {{trusts}};
      }
    });
    return text(found, "/request/client");
  };
  // From the right, over trusted proxies: what is on the left, anybody can write.
  EXPECT_EQ(client("10.0.0.1", "1.2.3.4, 192.0.2.7, 10.0.0.2", "10.0.0.0/8"), "192.0.2.7");
  EXPECT_EQ(client("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.0/8"), "10.0.0.3");
  EXPECT_EQ(client("192.0.2.1", "1.2.3.4", "10.0.0.0/8"), "192.0.2.1");
  EXPECT_EQ(client("10.0.0.1", "1.2.3.4", ""), "10.0.0.1");
  EXPECT_EQ(client("10.0.0.1", "", "10.0.0.0/8"), "10.0.0.1");
  EXPECT_EQ(client("", "1.2.3.4, 192.0.2.7", "10.0.0.0/8"), "192.0.2.7");
  EXPECT_EQ(client("", "1.2.3.4", ""), "");
  EXPECT_EQ(client("", "", "10.0.0.0/8"), "");
  EXPECT_FALSE(explain(sample(), {.url = "a", .headers = {}, .client = "a.test"}, {}));
}

TEST(ExplainTest, WhoIsNotLetInIsRefused) {
  const auto change = [](config::Config&, config::Route& route) {
    route.clients.allow = {{"10.0.0.0/8"}, {"2001:db8::/32"}};
    route.clients.deny = {{"10.6.0.0/16"}};
  };
  const auto asked = [&](const char* client) {
    return ask_about({.url = {}, .headers = {}, .client = client}, change);
  };
  const json::object passes = asked("10.1.2.3");
  EXPECT_EQ(text(passes, "/outcome"), "matched");
  EXPECT_EQ(text(passes, "/upstream/name"), "app");
  EXPECT_EQ(text(passes, "/client_verdict/entry"), "10.0.0.0/8");
  EXPECT_EQ(text(asked("2001:db8::1"), "/outcome"), "matched");

  const json::object denied = asked("10.6.1.1");
  EXPECT_EQ(text(denied, "/outcome"), "refused");
  EXPECT_EQ(text(denied, "/reply/status"), "403");
  EXPECT_EQ(text(denied, "/reply/code"), "client.denied");
  EXPECT_EQ(text(denied, "/reply/rule"), "deny");
  EXPECT_EQ(text(denied, "/reply/entry"), "10.6.0.0/16");
  EXPECT_EQ(text(denied, "/upstream"), "(absent)");
  EXPECT_THAT(does(denied, "clients"), HasSubstr("10.0.0.0/8, 2001:db8::/32, but not from 10.6"));
  EXPECT_THAT(explanation_text(denied, false), HasSubstr("answer       403 client.denied"));

  const json::object stranger = asked("192.0.2.1");
  EXPECT_EQ(text(stranger, "/reply/rule"), "allow");
  EXPECT_EQ(text(stranger, "/reply/entry"), "(absent)");

  const json::object unknown = asked("");
  EXPECT_EQ(text(unknown, "/outcome"), "matched");
  EXPECT_EQ(text(unknown, "/client_verdict"), "(absent)");
}

TEST(ExplainTest, ListsOfClientsInFiles) {
  config::Network network{.bytes = {}, .bits = 96 + 24};  // 192.0.2.0/24
  network.bytes[10] = network.bytes[11] = 0xff;
  network.bytes[12] = 192;
  network.bytes[14] = 2;
  const auto asked = [&](const char* client) {
    return ask_about({.url = {}, .headers = {}, .client = client},
                     [&](config::Config&, config::Route& route) {
                       route.clients.deny_file = {
                           .path = "/etc/blocked.txt",
                           .networks = std::make_shared<const std::vector<config::Network>>(
                               std::vector{config::Network{.bytes = {}, .bits = 0}, network})};
                     });
  };
  EXPECT_EQ(text(asked("192.0.2.9"), "/reply/entry"), "192.0.2.0/24 of /etc/blocked.txt");
  EXPECT_EQ(text(asked("2001:db8::1"), "/reply/entry"), "::/0 of /etc/blocked.txt");
  EXPECT_EQ(text(asked("192.0.3.1"), "/outcome"), "matched");
}

TEST(ExplainTest, WhereARedirectLeads) {
  const auto location = [](config::Redirect redirect, const char* url) {
    const json::object found =
        ask_about({.url = url, .headers = {}}, [&](config::Config&, config::Route& route) {
          route.upstream = config::kNoUpstream;
          route.match.path_prefix = "/old";
          route.redirect = redirect;
          route.redirect.enabled = true;
          route.response_headers.set.push_back({.name = "x-path", .value = "{path}"});
        });
    EXPECT_EQ(text(found, "/reply/code"), "route.redirect");
    EXPECT_EQ(text(found, "/response_headers/set/0/value").substr(0, 4), "/old");
    EXPECT_EQ(text(found, "/request_headers"), "(absent)");  // nobody gets the request
    return text(found, "/reply/status") + " " + text(found, "/reply/location");
  };
  config::Redirect redirect;
  redirect.scheme = "https";
  redirect.status = 308;
  EXPECT_EQ(location(redirect, "http://b.test:8080/old/x?y=1"), "308 https://b.test/old/x?y=1");
  redirect.port = 8443;
  EXPECT_EQ(location(redirect, "http://b.test/old"), "308 https://b.test:8443/old");
  redirect = {};
  redirect.prefix = "/new";
  EXPECT_EQ(location(redirect, "http://b.test:8080/old/x"), "302 http://b.test:8080/new/x");
  redirect = {};
  redirect.host = "c.test";
  redirect.path = "/";
  EXPECT_EQ(location(redirect, "http://b.test:8080/old?a"), "302 http://c.test/?a");
  redirect = {};
  redirect.regex = "^/old/([0-9]+)$";
  redirect.substitution = "/users?id=\\1";
  EXPECT_EQ(location(redirect, "http://b.test/old/7?a=b"), "302 http://b.test/users?id=7&a=b");
  EXPECT_EQ(location(redirect, "http://b.test/old/x?a"), "302 http://b.test/old/x?a");
}

TEST(ExplainTest, WhatARouteAnswersByItself) {
  const json::object found =
      ask_about({.url = {}, .headers = {}}, [](config::Config&, config::Route& route) {
        route.upstream = config::kNoUpstream;
        route.respond.enabled = true;
        route.respond.status = 503;
        route.respond.body = "back at six\nor later\n";
        route.respond.content_type = "text/x-note";
        route.respond.retry_after = std::chrono::hours(1);
        route.response_headers.remove = {"server"};
      });
  EXPECT_EQ(text(found, "/reply/status"), "503");
  EXPECT_EQ(text(found, "/reply/code"), "route.respond");
  EXPECT_EQ(text(found, "/reply/content_type"), "text/x-note");
  EXPECT_EQ(text(found, "/reply/body"), "back at six\nor later\n");
  EXPECT_EQ(text(found, "/reply/body_bytes"), "21");
  EXPECT_EQ(text(found, "/reply/retry_after_s"), "3600");
  const std::string plain = explanation_text(found, false);
  EXPECT_THAT(plain, HasSubstr("content      text/x-note, 21 bytes\n"));
  EXPECT_THAT(plain, HasSubstr("body         back at six ...\n"));
  EXPECT_THAT(plain, HasSubstr("response     remove server\n"));
}

TEST(ExplainTest, PagesOfOtherOrigins) {
  const auto asked = [](const char* method, std::vector<std::string> headers, bool refuse = true) {
    return ask_about({.method = method, .url = {}, .headers = std::move(headers)},
                     [&](config::Config&, config::Route& route) {
                       route.cors.enabled = true;
                       route.cors.origins = {"https://app.test"};
                       route.cors.methods = {"GET"};
                       route.cors.refuse_others = refuse;
                     });
  };
  const auto code = [](const json::object& found) {
    return text(found, "/outcome") + " " + text(found, "/reply/code");
  };
  const std::string wants = "access-control-request-method: GET";
  EXPECT_EQ(code(asked("OPTIONS", {"origin: https://app.test", wants})),
            "preflight cors.preflight");
  EXPECT_EQ(code(asked("OPTIONS", {"origin: https://bad.test", wants})), "preflight cors.origin");
  EXPECT_EQ(
      code(asked("OPTIONS", {"origin: https://app.test", "access-control-request-method: DELETE"})),
      "preflight cors.method");
  EXPECT_EQ(code(asked("OPTIONS", {"origin: https://app.test", wants,
                                   "access-control-request-headers: x-odd"})),
            "preflight cors.headers");
  EXPECT_EQ(code(asked("GET", {"origin: https://bad.test"})), "refused cors.origin");
  EXPECT_EQ(code(asked("GET", {"origin: https://bad.test"}, false)), "matched (absent)");
  EXPECT_EQ(code(asked("GET", {"origin: http://b.test"})), "matched (absent)");  // its own page
  EXPECT_EQ(code(asked("GET", {})), "matched (absent)");
}

TEST(ExplainTest, TheHostIsMadeOfTheRequest) {
  const auto asked = [](std::vector<std::string> headers, const char* host) {
    return ask_about({.url = {}, .headers = std::move(headers)},
                     [&](config::Config&, config::Route& route) { route.rewrite.host = host; });
  };
  EXPECT_EQ(text(asked({"x-t: north"}, "{header.x-t}.{route}.internal"), "/forwarded/host"),
            "north.b.internal");
  const json::object refused = asked({"x-t: a/b"}, "{header.x-t}.internal");
  EXPECT_EQ(text(refused, "/outcome"), "refused");
  EXPECT_EQ(text(refused, "/reply/status"), "400");
  EXPECT_EQ(text(refused, "/reply/code"), "rewrite.host");
  // What only a connection knows stays as it is written.
  EXPECT_EQ(text(asked({}, "{request_id}.internal"), "/forwarded/host"), "{request_id}.internal");
}

TEST(ExplainTest, EditsAreFilledInToo) {
  const json::object found = ask_about(
      {.url = "http://b.test/x?q=7", .headers = {"cookie: sid=9"}, .client = "192.0.2.1"},
      [](config::Config&, config::Route& route) {
        route.request_headers.set.push_back(
            {.name = "x-all", .value = "{client_ip} {query.q} {cookie.sid} {upstream}"});
        route.request_headers.add.push_back({.name = "x-text", .value = "{path}", .literal = true});
      });
  EXPECT_EQ(text(found, "/request_headers/set/0/value"), "192.0.2.1 7 9 app");
  EXPECT_EQ(text(found, "/request_headers/add/0/value"), "{path}");
  EXPECT_EQ(text(found, "/forwarded/path"), "/x?q=7");
}

TEST(ExplainTest, WhatOnlyTalksIsMarkedAndWhatIsOffIsNotThere) {
  const auto asked = [](config::Mode mode) {
    return ask_about({.url = {}, .headers = {}}, [&](config::Config& config, config::Route& route) {
      config.rate_limits.push_back(
          {.name = "rate", .mode = mode, .rate = {.count = 5, .per = std::chrono::seconds(1)}});
      config.concurrency_limits.push_back({.name = "few", .mode = mode, .requests_max = 3});
      config.bandwidth_limits.push_back(
          {.name = "slow", .mode = mode, .response_bytes_per_second = 4096});
      route.rate_limits = route.concurrency_limits = route.bandwidth_limits = {0};
      route.circuit_breaker.enabled = route.fault.enabled = true;
      route.circuit_breaker.mode = route.fault.mode = mode;
      route.fault.abort_status = 503;
      config.overload.enabled = true;
      config.overload.mode = mode;
      config::Upstream& app = config.upstreams[0];
      app.circuit_breaker.enabled = app.ejection.enabled = app.health_check.enabled = true;
      app.hedging.enabled = app.adaptive_concurrency.enabled = app.admission.enabled = true;
      app.limits.requests_max = 9;
      app.circuit_breaker.mode = app.ejection.mode = app.health_check.mode = mode;
      app.hedging.mode = app.adaptive_concurrency.mode = app.admission.mode = mode;
      app.limits.mode = mode;
    });
  };
  const json::object enforced = asked(config::Mode::kEnforce);
  const json::object shadow = asked(config::Mode::kShadow);
  const json::object off = asked(config::Mode::kOff);
  const auto check = [&](const char* key, std::vector<const char*> names) {
    for (const char* name : names) {
      EXPECT_THAT(does(enforced, name, key), Not(HasSubstr("shadow"))) << name;
      EXPECT_NE(does(enforced, name, key), "(absent)") << name;
      EXPECT_THAT(does(shadow, name, key), HasSubstr("(shadow: only logged)")) << name;
      EXPECT_EQ(does(off, name, key), "(absent)") << name;
    }
  };
  check("action", {"at once", "bandwidth", "breaker", "fault", "overload"});
  check("policy",
        {"breaker", "ejection", "health check", "hedging", "adaptive", "admission", "limits"});
  EXPECT_EQ(text(enforced, "/rate_limits/0/mode"), "enforce");
  EXPECT_EQ(text(shadow, "/rate_limits/0/mode"), "shadow");
  EXPECT_THAT(explanation_text(shadow, false),
              HasSubstr("rate: 5/s by client_ip, node scope (shadow: only logged)\n"));
  EXPECT_EQ(text(off, "/rate_limits"), "[]");
  EXPECT_EQ(text(off, "/concurrency_limits"), "[]");
  EXPECT_EQ(text(off, "/bandwidth_limits"), "[]");
  EXPECT_EQ(text(off, "/circuit_breaker"), "false");
}

TEST(ExplainTest, WhoWatchesARelease) {
  const auto guard = [](config::Mode mode) {
    return text(ask_about({.url = {}, .headers = {}},
                          [&](config::Config&, config::Route& route) {
                            route.upstream = config::kNoUpstream;
                            route.split.enabled = true;
                            route.split.upstreams = {{.upstream = 0}, {.upstream = 1}};
                            route.split.ramp.enabled = true;
                            route.split.ramp.to = 1;
                            route.split.guard.enabled = true;
                            route.split.guard.mode = mode;
                          }),
                "/release/guard");
  };
  EXPECT_EQ(guard(config::Mode::kEnforce), "taken back when it is worse");
  EXPECT_EQ(guard(config::Mode::kShadow), "taken back when it is worse (shadow: only logged)");
  EXPECT_EQ(guard(config::Mode::kOff), "");
}

TEST(ExplainTest, ALimitSaysOfWhat) {
  const json::object found = ask_about({.url = {}, .headers = {}}, [](config::Config& config,
                                                                      config::Route& route) {
    config::RateLimit limit{.name = "writes", .rate = {.count = 5, .per = std::chrono::seconds(1)}};
    limit.burst = 8;
    limit.match = {.methods = {"POST"}, .path_exact = {}, .path_prefix = "/up"};
    limit.exempt = {{"10.0.0.0/8"}};
    limit.cost.fixed = 3;
    config.rate_limits.push_back(limit);
    route.rate_limits = {0};
  });
  EXPECT_THAT(explanation_text(found, false),
              HasSubstr("writes: 5/s by client_ip, node scope, burst 8, of POST, under /up, not of "
                        "10.0.0.0/8, 3 each\n"));
}

TEST(ExplainTest, HowTheUpstreamIsAsked) {
  const json::object found =
      ask_about({.method = "POST", .url = {}, .headers = {"cookie: place=1"}},
                [](config::Config& config, config::Route& route) {
                  config::Upstream& app = config.upstreams[0];
                  app.balancing.policy = config::BalancingPolicy::kHash;
                  app.balancing.key = {{.kind = config::KeyPart::Kind::kCookie, .name = "sid"}};
                  app.balancing.sticky.enabled = true;
                  app.balancing.sticky.name = "place";
                  app.retry.statuses = {502};
                  app.retry.try_timeout = std::chrono::milliseconds(500);
                  app.queue.max = 7;
                  app.protocol = config::UpstreamProtocol::kHttp2;
                  app.tls.enabled = true;
                  route.headers_bytes_max = 8192;
                  route.response_body_bytes_max = 4096;
                  route.deadline.forward = true;
                  route.mirror.enabled = true;
                  route.mirror.upstream = 1;
                  route.compression.enabled = true;
                });
  EXPECT_EQ(does(found, "balancing", "policy"), "hash by cookie:sid");
  EXPECT_THAT(does(found, "sticky", "policy"), HasSubstr("cookie place: the request has it"));
  EXPECT_THAT(does(found, "queue", "policy"), HasSubstr("7 more wait up to 1s"));
  EXPECT_EQ(does(found, "protocol", "policy"), "HTTP/2 over TLS");
  const std::string retries = does(found, "retries", "policy");
  for (const char* part : {"1 more after connect_failure", "status 502", "500ms a try",
                           "only where the upstream has not read it", "bodies up to 64KiB"}) {
    EXPECT_THAT(retries, HasSubstr(part));
  }
  EXPECT_EQ(text(found, "/limits/headers_max"), "8KiB");
  EXPECT_EQ(text(found, "/limits/response_body_max"), "4KiB");
  EXPECT_THAT(does(found, "mirror"), HasSubstr("100 % to other"));
  EXPECT_THAT(does(found, "compression"), HasSubstr("zstd, br, gzip"));
  EXPECT_NE(does(found, "deadline"), "(absent)");
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
