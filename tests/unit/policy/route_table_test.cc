#include "hangu/policy/route_table.h"

#include <array>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "hangu/buffer/arena.h"

namespace hangu::policy {
namespace {

using Texts = std::vector<std::string>;
using enum config::ValueMatch;

struct Rule {
  Texts hosts;
  std::string path;  // "=/a": exactly; "~/a.*": expression; "/{a}": template; else a prefix
  Texts methods = {};
};

void set_path(const std::string& path, config::RouteMatch& match) {
  if (path.starts_with('=')) {
    match.path_exact = path.substr(1);
  } else if (path.starts_with('~')) {
    match.path_regex = path.substr(1);
  } else if (path.find('{') != std::string::npos) {
    match.path_template = path;
  } else {
    match.path_prefix = path;
  }
}

config::Config config_of(const std::vector<Rule>& rules) {
  config::Config config;
  for (const Rule& rule : rules) {
    config::Route route;
    route.name = fmt::format("r{}", config.routes.size());
    route.match.hosts = rule.hosts;
    route.match.methods = rule.methods;
    set_path(rule.path, route.match);
    config.routes.push_back(std::move(route));
  }
  return config;
}

RouteTable table_of(const std::vector<Rule>& rules) {
  return RouteTable(config_of(rules));
}

/// The index of the route, or "no route", "no host", "allow GET, POST".
std::string ask(const RouteTable& table, std::string_view host, std::string_view path,
                std::string_view method = "GET") {
  const RouteMatchResult result = table.match(host, path, method);
  switch (result.outcome) {
    case RouteOutcome::kFound: return std::to_string(result.route);
    case RouteOutcome::kMethodNotAllowed: {
      std::array<char, 256> text;
      return fmt::format("allow {}", table.allowed_methods(host, path, {}, text));
    }
    case RouteOutcome::kNoRoute: return "no route";
    case RouteOutcome::kNoHost: return "no host";
  }
  return "?";
}

TEST(RouteTable, EmptyKnowsNoHost) {
  EXPECT_EQ(ask(RouteTable(), "example.org", "/"), "no host");
}

TEST(RouteTable, ExactHostBeforeLongestWildcardBeforeAny) {
  const RouteTable table =
      table_of({{{}, ""}, {{"*.org"}, ""}, {{"*.example.org"}, ""}, {{"api.example.org"}, ""}});
  EXPECT_EQ(ask(table, "api.example.org", "/"), "3");
  EXPECT_EQ(ask(table, "www.example.org", "/"), "2");
  EXPECT_EQ(ask(table, "a.b.example.org", "/"), "2");
  EXPECT_EQ(ask(table, "example.org", "/"), "1");  // a wildcard does not take its own base
  EXPECT_EQ(ask(table, "notexample.org", "/"), "1");
  EXPECT_EQ(ask(table, "org", "/"), "0");
  EXPECT_EQ(ask(table, "", "/"), "0");
}

TEST(RouteTable, UnknownHostDiffersFromUnknownPath) {
  const RouteTable table = table_of({{{"a.org"}, "/x"}});
  EXPECT_EQ(ask(table, "a.org", "/y"), "no route");
  EXPECT_EQ(ask(table, "b.org", "/x"), "no host");
  EXPECT_EQ(ask(table, ".a.org", "/x"), "no host");
}

TEST(RouteTable, ExactPathBeforeLongestPrefix) {
  const RouteTable table =
      table_of({{{}, "/"}, {{}, "/a"}, {{}, "/a/b/"}, {{}, "=/a/b"}, {{}, "=/a/b/c"}});
  EXPECT_EQ(ask(table, "h", "/"), "0");
  EXPECT_EQ(ask(table, "h", "/a"), "1");
  EXPECT_EQ(ask(table, "h", "/a/x"), "1");
  EXPECT_EQ(ask(table, "h", "/a/b"), "3");
  EXPECT_EQ(ask(table, "h", "/a/b/"), "2");
  EXPECT_EQ(ask(table, "h", "/a/b/c"), "4");
  EXPECT_EQ(ask(table, "h", "/a/b/c/d"), "2");
}

TEST(RouteTable, PrefixesEndOnSegmentBorders) {
  const RouteTable table = table_of({{{}, "/abc"}, {{}, "/abc/def"}});
  EXPECT_EQ(ask(table, "h", "/abcd"), "no route");
  EXPECT_EQ(ask(table, "h", "/ab"), "no route");
  EXPECT_EQ(ask(table, "h", "/abc/de"), "0");
  EXPECT_EQ(ask(table, "h", "/abc/defg"), "0");
  EXPECT_EQ(ask(table, "h", "/abc/def/"), "1");
  EXPECT_EQ(ask(table, "h", "/abc/def/ghijkl/mnopqr"), "1");
  EXPECT_EQ(ask(table, "h", "/ABC"), "no route");
}

TEST(RouteTable, AnyPathTakesTheAsteriskToo) {
  EXPECT_EQ(ask(table_of({{{}, ""}}), "h", "*", "OPTIONS"), "0");
}

TEST(RouteTable, NamedMethodsBeforeAnyThenOrderOfConfig) {
  const RouteTable table =
      table_of({{{}, "/a"}, {{}, "/a", {"GET", "PURGE"}}, {{}, "/a", {"GET", "PUT"}}, {{}, "/a"}});
  EXPECT_EQ(ask(table, "h", "/a", "GET"), "1");
  EXPECT_EQ(ask(table, "h", "/a", "PUT"), "2");
  EXPECT_EQ(ask(table, "h", "/a", "PURGE"), "1");
  EXPECT_EQ(ask(table, "h", "/a", "DELETE"), "0");
  EXPECT_EQ(ask(table, "h", "/a", "get"), "0");  // methods are case-sensitive
}

TEST(RouteTable, AMethodFallsThroughToALessSpecificRoute) {
  const RouteTable table = table_of({{{"a.org"}, "=/x", {"GET"}},
                                     {{"a.org"}, "/", {"PUT"}},
                                     {{"*.org"}, "/", {"POST"}},
                                     {{}, ""}});
  EXPECT_EQ(ask(table, "a.org", "/x", "GET"), "0");
  EXPECT_EQ(ask(table, "a.org", "/x", "PUT"), "1");
  EXPECT_EQ(ask(table, "a.org", "/x", "POST"), "2");
  EXPECT_EQ(ask(table, "a.org", "/x", "DELETE"), "3");
}

TEST(RouteTable, AllowNamesTheMethodsOfAllThatMatchThere) {
  const RouteTable table = table_of({{{}, "=/a/b", {"GET"}},
                                     {{}, "/a", {"PUT", "GET"}},
                                     {{}, "/", {"HEAD"}},
                                     {{}, "/other", {"TRACE"}}});
  EXPECT_EQ(ask(table, "h", "/a/b", "POST"), "allow GET, HEAD, PUT");
  EXPECT_EQ(ask(table, "h", "/a/c", "POST"), "allow GET, HEAD, PUT");
  EXPECT_EQ(ask(table, "h", "/c", "POST"), "allow HEAD");
}

TEST(RouteTable, AllowNamesTheMethodsOfLessSpecificHostsToo) {
  const RouteTable table = table_of({{{"a.b.org"}, "/x", {"GET"}},
                                     {{"*.b.org"}, "/x", {"PUT"}},
                                     {{"*.org"}, "/", {"HEAD"}},
                                     {{}, "", {"PATCH"}},
                                     {{}, "=/x", {"POST"}},
                                     {{"*.net"}, "/", {"TRACE"}}});
  EXPECT_EQ(ask(table, "a.b.org", "/x", "DELETE"), "allow GET, HEAD, PATCH, POST, PUT");
  EXPECT_EQ(ask(table, "c.b.org", "/x", "DELETE"), "allow HEAD, PATCH, POST, PUT");
  EXPECT_EQ(ask(table, "c.org", "/y", "DELETE"), "allow HEAD, PATCH");
  EXPECT_EQ(ask(table, "", "/y", "DELETE"), "allow PATCH");
}

TEST(RouteTable, SurvivesAMove) {
  RouteTable first = table_of({{{"a.org"}, "/x", {"GET"}}});
  const RouteTable second = std::move(first);
  EXPECT_EQ(ask(second, "a.org", "/x"), "0");
  EXPECT_EQ(ask(second, "a.org", "/x", "PUT"), "allow GET");
}

TEST(RouteTable, TemplatesComeBetweenExactPathsAndPrefixes) {
  const RouteTable table = table_of({{{}, "/users"},
                                     {{}, "/users/{id}"},
                                     {{}, "=/users/me"},
                                     {{}, "~/users/[0-9]+"},
                                     {{}, "~/.*"},
                                     {{}, ""}});
  EXPECT_EQ(ask(table, "h", "/users/me"), "2");
  EXPECT_EQ(ask(table, "h", "/users/7"), "1");
  EXPECT_EQ(ask(table, "h", "/users"), "0");
  EXPECT_EQ(ask(table, "h", "/users/7/x"), "0");
  EXPECT_EQ(ask(table, "h", "/users/"), "0");  // a capture is not empty
  EXPECT_EQ(ask(table, "h", "/other"), "4");   // a path that says something before any path
  EXPECT_EQ(ask(table, "h", "*", "OPTIONS"), "5");
}

TEST(RouteTable, OfTemplatesTheOneWithMoreLiteralsWins) {
  const RouteTable table = table_of({{{}, "/{a}/{b}/{c}"},
                                     {{}, "/{rest*}"},
                                     {{}, "/x/{b}/{c}"},
                                     {{}, "/{a}/y/{c}"},
                                     {{}, "/x/{rest*}"},
                                     {{}, "/x/{b}/z"},
                                     {{}, "/{a}/y/z"},
                                     {{}, "/{a}/{rest*}"}});
  EXPECT_EQ(ask(table, "h", "/x/y/z"), "5");  // two literals; the first differing one is earlier
  EXPECT_EQ(ask(table, "h", "/q/y/z"), "6");
  EXPECT_EQ(ask(table, "h", "/x/y/q"), "2");  // one literal
  EXPECT_EQ(ask(table, "h", "/q/y/q"), "3");
  EXPECT_EQ(ask(table, "h", "/q/q/q"), "0");
  EXPECT_EQ(ask(table, "h", "/x/q"), "4");
  EXPECT_EQ(ask(table, "h", "/x/1/2/3/4"), "4");
  EXPECT_EQ(ask(table, "h", "/q/2/3/4"), "7");
  EXPECT_EQ(ask(table, "h", "/q"), "1");
  EXPECT_EQ(ask(table, "h", "/q/"), "1");  // what is left is "q/"
  EXPECT_EQ(ask(table, "h", "/"), "no route");
}

TEST(RouteTable, TemplatesAreOnePathWhateverTheirCapturesAreNamed) {
  const RouteTable table = table_of(
      {{{}, "/users/{id}", {"GET"}}, {{}, "/users/{name}", {"PUT"}}, {{}, "/users/{x}", {"GET"}}});
  EXPECT_EQ(ask(table, "h", "/users/1", "GET"), "0");
  EXPECT_EQ(ask(table, "h", "/users/1", "PUT"), "1");
  EXPECT_EQ(ask(table, "h", "/users/1", "POST"), "allow GET, PUT");
}

TEST(RouteTable, ExpressionsAreTriedInOrder) {
  const RouteTable table = table_of(
      {{{}, "~/v[0-9]+/.*"}, {{}, "~/v1/.*"}, {{}, "~/v[0-9]/x", {"POST"}}, {{}, "/v2/deep"}});
  EXPECT_EQ(ask(table, "h", "/v1/x"), "0");
  EXPECT_EQ(ask(table, "h", "/v1/x", "POST"), "2");  // names its method
  EXPECT_EQ(ask(table, "h", "/v2/deep/x"), "3");     // a prefix that says something comes first
  EXPECT_EQ(ask(table, "h", "/v/x"), "no route");
}

TEST(RouteTable, CapturesAreTold) {
  const RouteTable table =
      table_of({{{}, "/users/{id}/{rest*}"}, {{}, "~/(?P<kind>[a-z]+)-([0-9]+)"}, {{}, "=/x"}});
  const auto captures = [&](std::string_view path) {
    const RouteMatchResult found = table.match("h", path, "GET");
    Texts out;
    if (found.captor != nullptr) {
      std::vector<std::string_view> values(found.captor->captures().size());
      found.captor->capture(path, values);
      for (size_t i = 0; i < values.size(); ++i) {
        out.push_back(fmt::format("{}={}", found.captor->captures()[i], values[i]));
      }
    }
    return out;
  };
  EXPECT_EQ(captures("/users/42/a/b"), (Texts{"id=42", "rest=a/b"}));
  EXPECT_EQ(captures("/order-17"), (Texts{"kind=order", "2=17"}));
  EXPECT_EQ(captures("/x"), Texts{});
}

/// Against a plain reading of the rules, over everything a small alphabet can say.
TEST(RouteTable, AgreesWithALinearSearch) {
  std::vector<Rule> rules;
  const std::vector<Texts> hosts = {{}, {"a.org"}, {"*.org"}, {"*.a.org", "b.a.org"}};
  const std::vector<std::string> paths = {"",       "/p",         "/p/q/",  "=/p",     "=/p/q",
                                          "/{a}/q", "/p/{rest*}", "~/p.*q", "/{a}/{b}"};
  for (size_t i = 0; i < hosts.size() * paths.size(); ++i) {
    if (i % 7 != 3) {  // leave holes
      rules.push_back(
          {hosts[i % 4], paths[i % 9], i % 3 == 0 ? Texts{} : Texts{i % 2 ? "GET" : "PUT"}});
    }
  }
  const RouteTable table = table_of(rules);
  for (const char* host : {"", "a.org", "b.a.org", "c.a.org", "d.org", "x.net"}) {
    for (const char* path : {"/", "/p", "/pp", "/p/", "/p/q", "/p/q/r", "/p/qq"}) {
      for (const char* method : {"GET", "PUT", "X"}) {
        std::string expected;
        size_t chosen = 0;
        for (const RouteCandidate& candidate : table.explain(host, path, method)) {
          if (candidate.matched && expected.empty()) {
            expected = std::to_string(candidate.route);  // explain goes by linear search
          }
          chosen += candidate.chosen ? 1U : 0U;
        }
        const std::string found = ask(table, host, path, method);
        const bool is_found = found.find_first_not_of("0123456789") == std::string::npos;
        EXPECT_EQ(is_found ? found : "", expected) << host << ' ' << path << ' ' << method;
        EXPECT_EQ(chosen, is_found ? 1U : 0U);
      }
    }
  }
}

TEST(RouteTable, ExplainsInOrderOfPrecedence) {
  const RouteTable table = table_of({{{}, "/"},
                                     {{"a.org"}, "=/x"},
                                     {{"a.org", "b.org"}, "/", {"PUT", "POST"}},
                                     {{"c.org"}, "/"}});
  const auto candidates = table.explain("a.org", "/y", "GET");
  ASSERT_EQ(candidates.size(), 4U);
  const std::vector<std::pair<uint32_t, std::string>> expected = {
      {1, "path \"/y\" is not /x"},
      {2, "method GET is not one of PUT, POST"},
      {0, "the most specific match"},
      {3, "host \"a.org\" is not c.org"}};
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(candidates[i].route, expected[i].first);
    EXPECT_EQ(candidates[i].reason, expected[i].second);
    EXPECT_EQ(candidates[i].chosen, expected[i].first == 0);
    EXPECT_EQ(candidates[i].matched, expected[i].first == 0);
  }
}

TEST(RouteTable, ExplainNamesTheRouteThatComesFirst) {
  const auto candidates = table_of({{{}, "/"}, {{}, "/a"}}).explain("h", "/a/b", "GET");
  ASSERT_EQ(candidates.size(), 2U);
  EXPECT_TRUE(candidates[0].chosen);
  EXPECT_TRUE(candidates[1].matched);
  EXPECT_FALSE(candidates[1].chosen);
  EXPECT_EQ(candidates[1].reason, "matches too, but r1 comes first");
}

/// 50 000 routes of one host: quadratic work would take minutes, in any build.
TEST(RouteTable, ManyRoutesOfOneHostAreCompiledQuickly) {
  std::vector<Rule> rules;
  for (int i = 0; i < 50'000; ++i) {
    rules.push_back({{"a.org"}, fmt::format("/service/{}", i), {"GET"}});
  }
  const config::Config config = config_of(rules);
  const auto begin = std::chrono::steady_clock::now();
  const RouteTable table(config);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
  EXPECT_EQ(ask(table, "a.org", "/service/49999/x"), "49999");
  EXPECT_EQ(ask(table, "a.org", "/service/7", "PUT"), "allow GET");
}

// --- generations ------------------------------------------------------------------------------

/// Tables made by update() against those made at once.
class UpdateTest : public testing::Test {
 protected:
  /// A route whose name says what it is.
  static std::shared_ptr<const config::Route> route(const std::string& path, int version) {
    auto made = std::make_shared<config::Route>();
    made->name = fmt::format("{} v{}", path, version);
    set_path(path, made->match);
    made->match.hosts = version % 3 == 0 ? Texts{"a.org", "*.b.org"} : Texts{};
    made->match.methods = version % 2 == 0 ? Texts{"GET"} : Texts{};
    return made;
  }

  void expect_same(const RouteTable& updated, const config::RouteList& routes) {
    config::Config config;
    config.routes = routes;
    const RouteTable fresh(config);
    const auto name = [](const RouteTable& table, const char* host, const char* path,
                         const char* method) {
      const RouteMatchResult found = table.match(host, path, method);
      std::array<char, 256> text;
      return found.outcome == RouteOutcome::kFound
                 ? table.route(found.route)->name
                 : fmt::format("{} {}", static_cast<int>(found.outcome),
                               table.allowed_methods(host, path, {}, text));
    };
    for (const char* host : {"a.org", "x.b.org", "c.org"}) {
      for (const char* path : {"/", "/p", "/p/q", "/p/1", "/p/q/r", "/q", "/q/1/2", "/1", "/2"}) {
        for (const char* method : {"GET", "PUT"}) {
          ASSERT_EQ(name(updated, host, path, method), name(fresh, host, path, method))
              << host << path << ' ' << method;
        }
      }
    }
  }
};

TEST_F(UpdateTest, AnyChangeEndsInTheSameTable) {
  const std::vector<std::string> paths = {"",       "/p",      "=/p",    "/p/q",     "=/p/q",
                                          "/p/{a}", "/{a}/q",  "~/p/.*", "/{rest*}", "~/[0-9]",
                                          "/q",     "/q/{r*}", "=/1",    "=/2"};
  uint64_t random = 20'261'126;
  const auto below = [&](size_t limit) {
    random = random * 6'364'136'223'846'793'005U + 1'442'695'040'888'963'407U;
    return static_cast<size_t>((random >> 33) % limit);
  };
  std::vector<config::RouteList::Item> items;
  RouteTable table;
  for (int step = 0; step < 120; ++step) {
    const size_t at = below(items.size() + 1);
    const auto place = items.begin() + static_cast<ptrdiff_t>(at);
    switch (below(items.empty() ? 1 : 4)) {
      case 0: items.insert(place, route(paths[below(paths.size())], step)); break;
      case 1: items.erase(items.begin() + static_cast<ptrdiff_t>(at % items.size())); break;
      case 2: items[at % items.size()] = route(paths[below(paths.size())], step); break;
      default: std::swap(items[at % items.size()], items[below(items.size())]); break;
    }
    config::RouteList routes;
    for (const auto& item : items) {
      routes.append(item);
    }
    const RouteTable before = table;
    table.update(routes);
    expect_same(table, routes);
    static_cast<void>(before.match("a.org", "/p/q", "GET"));  // the one before is still good
  }
}

TEST_F(UpdateTest, OneChangeTouchesOneSlot) {
  config::Config config;
  for (int i = 0; i < 1000; ++i) {
    config.routes.append(route(fmt::format("/r{}", i), 1));
  }
  RouteTable table(config);
  const RouteTable before = table;
  config::RouteList changed = config.routes;
  changed.set(500, route("/new", 1));
  const RouteTable::Change change = table.update(changed);
  EXPECT_EQ(change.added, std::vector<uint32_t>{500});
  EXPECT_TRUE(change.removed.empty());
  EXPECT_EQ(ask(table, "h", "/new"), "500");
  EXPECT_EQ(ask(table, "h", "/r500"), "no route");
  EXPECT_EQ(ask(before, "h", "/r500"), "500");
  EXPECT_EQ(ask(before, "h", "/new"), "no route");
  config::RouteList fewer;
  for (size_t i = 1; i < changed.size(); ++i) {
    fewer.append(changed.item(i));
  }
  fewer.append(route("/last", 1));
  const RouteTable::Change shifted = table.update(fewer);
  EXPECT_EQ(shifted.added, std::vector<uint32_t>{0});  // the slot that the first one left
  EXPECT_EQ(ask(table, "h", "/r999"), "999");
  EXPECT_EQ(ask(table, "h", "/last"), "0");
}

/// The last route moves to the front: one has changed its place, not all.
TEST_F(UpdateTest, AMoveIsOfOneRoute) {
  config::Config config;
  for (int i = 0; i < 100; ++i) {
    config.routes.append(route("/same", 1));
  }
  RouteTable table(config);
  config::RouteList moved;
  moved.append(config.routes.item(99));
  for (size_t i = 0; i < 99; ++i) {
    moved.append(config.routes.item(i));
  }
  EXPECT_EQ(table.update(moved).added.size(), 1U);
  EXPECT_EQ(table.route(table.match("h", "/same", "GET").route).get(), moved.item(0).get());
}

// --- header fields and so on ------------------------------------------------------------------

class FactsTest : public testing::Test {
 protected:
  void add(const std::string& name, config::RouteMatch match) {
    match.path_prefix = match.path_prefix.empty() ? "/" : match.path_prefix;
    config::Route route;
    route.name = name;
    route.match = std::move(match);
    config_.routes.push_back(route);
  }

  std::string find(const std::vector<std::pair<std::string, std::string>>& fields,
                   std::string_view query = "", std::string_view client = "192.0.2.1",
                   std::string_view method = "GET") {
    arena_.reset();
    headers_.reset(arena_);
    for (const auto& [name, value] : fields) {
      EXPECT_TRUE(headers_.add(name, value));
    }
    const RouteTable table(config_);
    const RequestFacts facts{.headers = &headers_, .query = query, .client_ip = client};
    const RouteMatchResult result = table.match("h", "/x", method, facts);
    if (result.outcome == RouteOutcome::kFound) {
      return config_.routes[result.route].name;
    }
    return result.outcome == RouteOutcome::kMethodNotAllowed ? "method" : "none";
  }

  buffer::BlockPool blocks_{{.block_bytes = 16384, .blocks_max = 8}};
  buffer::Arena arena_{blocks_, blocks_};
  http::HeaderBlock headers_;
  config::Config config_;
};

TEST_F(FactsTest, AllThatIsAskedForMustBeThere) {
  add("v2", {.headers = {{"x-version", "2"}}});
  add("beta", {.cookies = {{"beta", "", kAny}}});
  add("query", {.query = {{"q", "1"}}});
  add("near", {.clients = {{"10.0.0.0/8"}}});
  add("rest", {});
  EXPECT_EQ(find({}), "rest");
  EXPECT_EQ(find({{"x-version", "2"}}), "v2");
  EXPECT_EQ(find({{"x-version", "22"}}), "rest");
  EXPECT_EQ(find({{"cookie", "a=1; beta=anything"}}), "beta");
  EXPECT_EQ(find({{"cookie", "alpha=1"}}), "rest");
  EXPECT_EQ(find({}, "a=2&q=1"), "query");
  EXPECT_EQ(find({}, "q=2"), "rest");
  EXPECT_EQ(find({}, "", "10.1.1.1"), "near");
}

TEST_F(FactsTest, ValuesMayBeginOrMatch) {
  add("begins", {.headers = {{"x-version", "2.", kPrefix}}});
  add("matches", {.cookies = {{"lang", "zh(-[A-Z]+)?", kRegex}}});
  add("query", {.query = {{"q", "[0-9]+", kRegex}}});
  add("rest", {});
  EXPECT_EQ(find({{"x-version", "2.1"}}), "begins");
  EXPECT_EQ(find({{"x-version", "12.1"}}), "rest");
  EXPECT_EQ(find({{"cookie", "lang=zh-CN"}}), "matches");
  EXPECT_EQ(find({{"cookie", "lang=zh-CN2"}}), "rest");  // the whole value
  EXPECT_EQ(find({}, "q=17"), "query");
  EXPECT_EQ(find({}, "q="), "rest");
}

TEST_F(FactsTest, WhoAsksForMoreComesFirst) {
  add("none", {});
  add("client", {.clients = {{"192.0.2.0/24"}}});
  add("cookie", {.cookies = {{"c", "", kAny}}});
  add("query", {.query = {{"q", "", kAny}}});
  add("one", {.headers = {{"a", "", kAny}}});
  add("two", {.headers = {{"a", "", kAny}, {"b", "", kAny}}});
  add("method", {.methods = {"GET"}});
  EXPECT_EQ(find({{"a", "1"}, {"b", "1"}, {"cookie", "c=1"}}, "q"), "method");
  EXPECT_EQ(find({{"a", "1"}, {"b", "1"}, {"cookie", "c=1"}}, "q", "192.0.2.1", "PUT"), "two");
  EXPECT_EQ(find({{"a", "1"}, {"cookie", "c=1"}}, "q", "192.0.2.1", "PUT"), "one");
  EXPECT_EQ(find({{"cookie", "c=1"}}, "q", "192.0.2.1", "PUT"), "query");
  EXPECT_EQ(find({{"cookie", "c=1"}}, "", "192.0.2.1", "PUT"), "cookie");
  EXPECT_EQ(find({}, "", "192.0.2.1", "PUT"), "client");
  EXPECT_EQ(find({}, "", "198.51.100.1", "PUT"), "none");
}

TEST_F(FactsTest, AMethodIsOnlyWrongWhereTheRestFits) {
  add("write", {.methods = {"POST"}, .headers = {{"a", "1"}}});
  EXPECT_EQ(find({}), "none");
  EXPECT_EQ(find({{"a", "1"}}), "method");
}

}  // namespace
}  // namespace hangu::policy
