// That generations share what they have in common, and that nothing is shared too long.
#include "server/snapshot_builder.h"

#include <memory>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "hangu/config/generations.h"

#include "tests/unit/server/no_identity.h"

namespace hangu::server {
namespace {

using SnapshotPtr = std::shared_ptr<const filter::Snapshot>;

class SnapshotBuilderTest : public testing::Test {
 protected:
  SnapshotBuilderTest() {
    config_.upstreams.push_back({.name = "app"});
    config_.rate_limits.push_back({.name = "limit", .rate = {.count = 1}});
    for (int i = 0; i < 600; ++i) {
      config::Route route;
      route.name = fmt::format("r{}", i);
      route.upstream = 0;
      route.match.path_prefix = fmt::format("/r{}", i);
      route.rate_limits = {0};
      config_.routes.push_back(std::move(route));
    }
  }

  SnapshotPtr build() {
    return builder_.build(std::make_shared<const config::Config>(config_), {}, {}, {});
  }

  void change(size_t at, const std::string& path) {
    config::Route route = config_.routes[at];
    route.match.path_prefix = path;
    config_.routes.set(at, std::make_shared<const config::Route>(std::move(route)));
  }

  static const filter::RouteRuntime* find(const filter::Snapshot& snapshot,
                                          const std::string& path) {
    const policy::RouteMatchResult found = snapshot.route_table.match("h", path, "GET");
    return found.outcome == policy::RouteOutcome::kFound ? &snapshot.routes[found.route] : nullptr;
  }

  /// How many routes of both have the same runtime.
  static size_t shared(const filter::Snapshot& a, const filter::Snapshot& b) {
    size_t count = 0;
    for (size_t slot = 0; slot < std::min(a.routes.size(), b.routes.size()); ++slot) {
      count += a.routes.item(slot) == b.routes.item(slot) ? 1U : 0U;
    }
    return count;
  }

  config::Config config_;
  stats::Registry registry_{1};
  QuotaSaver quotas_{""};  // there are none
  LogoutKeeper logouts_{"", {}};
  NoIdentity identity_;
  SnapshotBuilder builder_{registry_, quotas_, logouts_, identity_, identity_};
};

TEST_F(SnapshotBuilderTest, OneChangedRouteIsOneNewRuntime) {
  const SnapshotPtr before = build();
  change(300, "/new");
  const SnapshotPtr after = build();
  EXPECT_EQ(shared(*before, *after), 599U);
  EXPECT_EQ(find(*after, "/new")->config->name, "r300");
  EXPECT_EQ(find(*after, "/r300"), nullptr);
  EXPECT_EQ(find(*before, "/r300")->config->name, "r300");
  EXPECT_EQ(find(*before, "/r300")->stats, find(*after, "/new")->stats);  // counters go on
}

TEST_F(SnapshotBuilderTest, RoutesFollowWhatTheyReferTo) {
  const SnapshotPtr before = build();
  config_.upstreams.push_back({.name = "more"});  // behind: no index changes its meaning
  EXPECT_EQ(shared(*before, *build()), 600U);
  config_.rate_limits[0].rate.count = 2;
  const SnapshotPtr limited = build();
  EXPECT_EQ(shared(*before, *limited), 0U);
  std::swap(config_.upstreams[0], config_.upstreams[1]);
  const SnapshotPtr swapped = build();
  EXPECT_NE(find(*swapped, "/r1")->cluster, find(*limited, "/r1")->cluster);
}

TEST_F(SnapshotBuilderTest, GenerationsEndWhenNobodyUsesThem) {
  SnapshotPtr used = build();
  const std::weak_ptr<const filter::Snapshot> first = used;
  change(0, "/new");
  config::Config fewer = config_;
  fewer.routes = {};
  for (size_t i = 1; i < config_.routes.size(); ++i) {
    fewer.routes.append(config_.routes.item(i));
  }
  config_ = fewer;
  static_cast<void>(build());
  builder_.release_unused();
  registry_.prune();
  EXPECT_FALSE(first.expired());  // a shard has it
  EXPECT_TRUE(registry_.routes().contains("r0"));
  used.reset();
  EXPECT_FALSE(first.expired());  // and does not free it
  builder_.release_unused();
  EXPECT_TRUE(first.expired());
  registry_.prune();
  EXPECT_FALSE(registry_.routes().contains("r0"));
  EXPECT_TRUE(registry_.routes().contains("r1"));
}

TEST_F(SnapshotBuilderTest, RoutesShareTheListsOfTheirFiles) {
  config::Route route = config_.routes[0];
  route.clients.deny_file.path = "/blocked";
  route.clients.deny_file.hash = {1, 2};
  route.clients.deny_file.networks =
      std::make_shared<const std::vector<config::Network>>(1000, config::Network{.bits = 128});
  const auto& networks = route.clients.deny_file.networks;
  config_.routes.set(0, std::make_shared<const config::Route>(route));
  const SnapshotPtr before = build();
  EXPECT_EQ(networks.use_count(), 2);  // the route's and ours: compiled, it is needed no more
  config::Config again = config_;
  route.clients.deny_file.networks =
      std::make_shared<const std::vector<config::Network>>(*networks);
  again.routes.set(0, std::make_shared<const config::Route>(route));
  config::share_unchanged(again, config_);
  EXPECT_EQ(again.routes.item(0), config_.routes.item(0));  // the same contents
}

TEST_F(SnapshotBuilderTest, SessionsWithoutSecretsOfTheirOwnFollowTheGivenOnes) {
  config::Authenticator login{.name = "web"};
  login.oidc.enabled = true;
  login.oidc.upstream = 0;
  config_.authenticators.push_back(login);
  builder_.use_session_secrets({"one"});
  const SnapshotPtr first = build();
  const SnapshotPtr same = build();
  EXPECT_EQ(shared(*first, *same), first->routes.size());
  builder_.use_session_secrets({"two", "one"});
  const SnapshotPtr rekeyed = build();
  EXPECT_EQ(shared(*same, *rekeyed), 0u);
  config_.authenticators[0].oidc.secrets.push_back({.text = "its own"});
  const SnapshotPtr own = build();
  builder_.use_session_secrets({"three"});
  EXPECT_EQ(shared(*own, *build()), own->routes.size());
}

}  // namespace
}  // namespace hangu::server
