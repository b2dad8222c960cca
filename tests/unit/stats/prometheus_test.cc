#include "hangu/stats/prometheus.h"

#include <regex>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hangu::stats {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Prometheus, CountsShardsRoutesAndUpstreams) {
  Registry registry(2);
  registry.shard(1).requests.add(3);
  registry.shard(0).count_local_reply("route.none");
  registry.shard(0).count_parse_error(Errc::kBadHeader);
  const auto route = registry.route("users");
  route->slot(0).count(200, 10, 20, std::chrono::milliseconds(2));
  route->slot(1).count(503, 0, 0, std::chrono::seconds(100));
  registry.upstream("origin")->slot(0).count_response(200, std::chrono::microseconds(200));
  const std::string text = prometheus_text(registry);
  EXPECT_THAT(text, HasSubstr("hangu_requests_total{shard=\"1\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("hangu_local_replies_total{shard=\"0\",code=\"route.none\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("hangu_request_errors_total{shard=\"0\",error=\"bad_header\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("hangu_route_requests_total{route=\"users\",status=\"2xx\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("hangu_route_requests_total{route=\"users\",status=\"5xx\"} 1\n"));
  EXPECT_THAT(
      text, HasSubstr("hangu_route_duration_seconds_bucket{route=\"users\",le=\"0.002048\"} 1\n"));
  EXPECT_THAT(
      text, HasSubstr("hangu_route_duration_seconds_bucket{route=\"users\",le=\"0.001024\"} 0\n"));
  EXPECT_THAT(text,
              HasSubstr("hangu_route_duration_seconds_bucket{route=\"users\",le=\"+Inf\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("hangu_route_duration_seconds_count{route=\"users\"} 2\n"));
  EXPECT_THAT(
      text,
      HasSubstr("hangu_upstream_duration_seconds_bucket{upstream=\"origin\",le=\"0.000256\"} 1\n"));
}

TEST(Prometheus, EscapesLabels) {
  Registry registry(1);
  const auto route = registry.route("a\"b\\c\nd");
  EXPECT_THAT(prometheus_text(registry), HasSubstr("route=\"a\\\"b\\\\c\\nd\""));
}

TEST(Prometheus, EveryLineIsOfTheFormat) {
  Registry registry(1);
  const auto route = registry.route("r");
  const auto upstream = registry.upstream("u");
  std::istringstream lines(prometheus_text(registry));
  const std::regex sample(R"re(^[a-z0-9_]+\{([a-z_]+="[^"]*")(,[a-z_]+="[^"]*")*\} [0-9.e+-]+$)re");
  const std::regex comment(R"(^# (HELP|TYPE) hangu_[a-z0-9_]+ .+$)");
  size_t count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    EXPECT_TRUE(std::regex_match(line, sample) || std::regex_match(line, comment)) << line;
  }
  EXPECT_GT(count, 50U);
}

}  // namespace
}  // namespace hangu::stats
