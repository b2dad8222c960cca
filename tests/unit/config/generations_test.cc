#include "hangu/config/generations.h"

#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "hangu/config/print.h"

namespace hangu::config {
namespace {

Config config_of(int routes) {
  Config config;
  for (int i = 0; i < routes; ++i) {
    Route route;
    route.name = fmt::format("r{}", i);
    config.routes.push_back(std::move(route));
  }
  return config;
}

size_t shared_routes(const Config& a, const Config& b) {
  return a.routes.size() - routes_not_in(b.routes, a.routes).size();
}

TEST(Generations, WhatIsAlikeBecomesTheSame) {
  const Config before = config_of(700);
  Config next = config_of(700);
  EXPECT_EQ(shared_routes(next, before), 0U);
  Route changed = next.routes[400];
  changed.grpc_web = true;
  next.routes.set(400, std::make_shared<const Route>(changed));
  share_unchanged(next, before);
  EXPECT_EQ(shared_routes(next, before), 699U);
  EXPECT_TRUE(next.routes[400].grpc_web);
  EXPECT_FALSE(before.routes[400].grpc_web);
  EXPECT_TRUE(next.routes.shares_page(before.routes, 0));
  const RouteList different = routes_not_in(before.routes, next.routes);
  ASSERT_EQ(different.size(), 1U);
  EXPECT_EQ(different[0].name, "r400");
}

TEST(Generations, RoutesAreFoundByNameWhereverTheyStand) {
  const Config before = config_of(300);
  Config next;
  Route added;
  added.name = "new";
  next.routes.push_back(added);
  for (int i = 299; i >= 10; --i) {
    Route route;
    route.name = fmt::format("r{}", i);
    next.routes.push_back(std::move(route));
  }
  const Config fresh = next;
  share_unchanged(next, before);
  EXPECT_EQ(next, fresh);
  EXPECT_EQ(shared_routes(next, before), 290U);
}

TEST(Generations, ChangesAreThoseOfRoutesThatAreNotShared) {
  const Config before = config_of(300);
  Config next = before;
  Route changed = next.routes[7];
  changed.grpc_web = true;
  next.routes.set(7, std::make_shared<const Route>(changed));
  const auto changes = changed_keys(before, next);
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].path, "routes[r7].grpc_web");
  EXPECT_TRUE(changed_keys(before, config_of(300)).empty());  // alike, though not shared
}

}  // namespace
}  // namespace hangu::config
