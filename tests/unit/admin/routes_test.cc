#include "hangu/admin/routes.h"

#include <map>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/admin/admin_fixture.h"
#include "tests/unit/config/golden.h"

namespace hangu::admin {
namespace {

namespace json = boost::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

class RoutesTest : public AdminFixture {
 protected:
  static json::object body(const Reply& reply) { return json::parse(reply.body).as_object(); }

  static void expect_problem(const Reply& reply, int status, std::string_view code) {
    EXPECT_EQ(reply.status, status);
    EXPECT_EQ(reply.content_type, "application/problem+json");
    EXPECT_EQ(body(reply).at("status"), status);
    EXPECT_EQ(body(reply).at("code"), json::string_view(code.data(), code.size()));
  }
};

TEST_F(RoutesTest, HealthIsAliveEvenBeforeReadiness) {
  start();
  for (const char* path : {"/health", "/healthz"}) {
    EXPECT_EQ(ask("GET", path).status, 200) << path;
    EXPECT_EQ(ask("GET", path).body, "alive\n") << path;
  }
}

TEST_F(RoutesTest, ReadyFollowsTheDaemon) {
  start();
  Reply reply = ask("GET", "/ready");
  expect_problem(reply, 503, "not_ready");
  EXPECT_EQ(body(reply).at("detail"), "starting");
  ASSERT_TRUE(control::run_until(context_, [&] { return daemon_->readiness().ready; }));
  EXPECT_EQ(ask("GET", "/ready").body, "ready\n");
  EXPECT_EQ(ask("GET", "/readyz").status, 200);
  daemon_->terminate();
  reply = ask("GET", "/readyz");
  expect_problem(reply, 503, "not_ready");
  EXPECT_EQ(body(reply).at("detail"), "draining");
  EXPECT_EQ(ask("GET", "/health").status, 200);
}

TEST_F(RoutesTest, TheIndexListsThemAll) {
  start();
  const Reply reply = ask("GET", "/");
  test::expect_golden(test::source_root() / "tests/golden/admin/routes.json", reply.body);
  EXPECT_EQ(body(reply).at("routes").as_array().size(), routes().size());
}

TEST_F(RoutesTest, EveryListedRouteAnswers) {
  start_until_ready();
  const std::map<std::string_view, std::string> queries = {
      {"/explain", "?url=a.test"},
      {"/audit/reading", "?kind=read"},
      {"/plugin", "?name=stamp&change=swap"},
      {"/release", "?route=orders&order=pause"},
      {"/endpoint", "?upstream=app&endpoint=192.0.2.9:80&order=drain"}};
  const std::map<std::string, int> others = {
      {"POST /endpoint", 404},  // there is none of that address
      {"POST /release", 404},
      {"POST /plugin", 409},
      {"POST /login", 409},
      {"POST /upgrade", 409},
      {"GET /config/documents", 409},  // the config is in no file
      {"GET /config/documents/{list}/{name}", 409},
      {"PUT /config/documents/{list}/{name}", 404},  // no such list
      {"DELETE /config/documents/{list}/{name}", 404},
      {"POST /config/changes", 400}};
  for (const Route& route : routes()) {
    const auto query = queries.find(route.path);
    const std::string target =
        std::string(route.path) + (query != queries.end() ? query->second : "");
    const auto other = others.find(fmt::format("{} {}", route.method, route.path));
    const int expected = other != others.end() ? other->second : 200;
    EXPECT_EQ(ask(std::string(route.method), target).status, expected) << target;
  }
}

TEST_F(RoutesTest, UnknownPathsAndMethodsAreProblems) {
  start();
  expect_problem(ask("GET", "/none"), 404, "admin.not_found");
  expect_problem(ask("GET", "/status/"), 404, "admin.not_found");
  expect_problem(ask("GET", "/config/documents/"), 404, "admin.not_found");
  EXPECT_THAT(ask("POST", "/config/documents/routes/a").fields,
              ElementsAre(Pair("Allow", "GET, HEAD, PUT, DELETE")));
  const Reply post = ask("POST", "/status");
  expect_problem(post, 405, "admin.method");
  EXPECT_THAT(post.fields, ElementsAre(Pair("Allow", "GET, HEAD")));
  EXPECT_THAT(ask("GET", "/reload").fields, ElementsAre(Pair("Allow", "POST")));
  EXPECT_EQ(ask("DELETE", "/healthz").status, 405);
  EXPECT_EQ(gateway_.applied, 0);
}

TEST_F(RoutesTest, MetricsAndConfig) {
  start();
  const Reply metrics = ask("GET", "/metrics");
  EXPECT_EQ(metrics.content_type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_THAT(metrics.body, HasSubstr("# TYPE hangu_"));
  const Reply config = ask("GET", "/config");
  EXPECT_THAT(config.body, HasSubstr("***"));
  EXPECT_THAT(config.body, Not(HasSubstr("s3cret")));
}

TEST_F(RoutesTest, ExplainTakesMethodUrlAndHeaders) {
  start();
  const Reply reply =
      ask("GET", "/explain?method=POST&url=http%3A%2F%2Fa.test%2Fx&header=Host%3A%20b.test");
  ASSERT_EQ(reply.status, 200) << reply.body;
  const json::object found = body(reply);
  EXPECT_EQ(found.at("route"), "all");
  EXPECT_EQ(found.at("request").at("method"), "POST");
  EXPECT_EQ(found.at("request").at("host"), "b.test");
  EXPECT_EQ(found.at("upstream").at("endpoints").at(0), "192.0.2.1:80");
  EXPECT_THAT(reply.body, Not(HasSubstr("s3cret")));
  for (const char* bad : {"?url=%zz", "?uri=a", "", "?url=ftp%3A%2F%2Fa", "?url=a&header=x"}) {
    expect_problem(ask("GET", std::string("/explain") + bad), 400, "admin.bad_query");
  }
}

TEST_F(RoutesTest, ReloadAnswersWhatCameOfIt) {
  start_until_ready();
  loaded_.config->workers = 7;
  const json::object applied = body(ask("POST", "/reload"));
  EXPECT_EQ(applied.at("applied"), true);
  EXPECT_EQ(applied.at("generation"), 2);
  EXPECT_EQ(applied.at("restart_required").at(0), "workers");

  gateway_.apply_error = "cannot bind 127.0.0.1:80";
  const Reply refused = ask("POST", "/reload");
  expect_problem(refused, 409, "reload.refused");
  EXPECT_EQ(body(refused).at("detail"), "cannot bind 127.0.0.1:80");

  break_config();
  const Reply invalid = ask("POST", "/reload");
  expect_problem(invalid, 422, "reload.invalid_config");
  EXPECT_EQ(body(invalid).at("diagnostics").at(0).at("code"), "E0101");
  EXPECT_EQ(daemon_->config()->generation, 2U);
}

TEST_F(RoutesTest, ReloadIsRefusedWhileDraining) {
  start_until_ready();
  daemon_->terminate();
  expect_problem(ask("POST", "/reload"), 409, "reload.refused");
}

}  // namespace
}  // namespace hangu::admin
