#include "admin/document_rights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hangu::admin {
namespace {

using config::AdminRole;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kOpen = "{upstream: a}";
constexpr const char* kGuarded = "{upstream: a, authentication: {any: [keys]}}";

TEST(DocumentRightsTest, ListsHaveTheirAdministrator) {
  EXPECT_THAT(refused_change(AdminRole::kSystem, "rate_limits/a", {}, "{}"), IsEmpty());
  EXPECT_THAT(refused_change(AdminRole::kSecurity, "rate_limits/a", {}, "{}"),
              HasSubstr("sysadmin"));
  for (const char* key : {"authenticators/a", "consumers/a", "forward_auths/a", "plugins/a"}) {
    EXPECT_THAT(refused_change(AdminRole::kSystem, key, {}, "{}"), HasSubstr("secadmin")) << key;
    EXPECT_THAT(refused_change(AdminRole::kSecurity, key, {}, "{}"), IsEmpty()) << key;
  }
  EXPECT_THAT(refused_change(AdminRole::kAudit, "routes/a", {}, kOpen), HasSubstr("auditor"));
}

TEST(DocumentRightsTest, WhoRunsARouteLeavesItsGuardsAlone) {
  const auto system = AdminRole::kSystem;
  EXPECT_THAT(refused_change(system, "routes/a", {}, kGuarded), IsEmpty());
  EXPECT_THAT(
      refused_change(system, "routes/a", kGuarded, "{authentication: {any: [keys]}, upstream: b}"),
      IsEmpty());
  EXPECT_THAT(refused_change(system, "routes/a", kGuarded, kOpen), HasSubstr("`authentication`"));
  EXPECT_THAT(refused_change(system, "routes/a", kOpen, kGuarded), HasSubstr("`authentication`"));
  EXPECT_THAT(refused_change(system, "routes/a", kGuarded, std::nullopt), HasSubstr("removes"));
  EXPECT_THAT(refused_change(system, "routes/a", kOpen, std::nullopt), IsEmpty());
}

TEST(DocumentRightsTest, WhoGuardsARouteDoesNotTurnIt) {
  const auto security = AdminRole::kSecurity;
  EXPECT_THAT(refused_change(security, "routes/a", kOpen, kGuarded), IsEmpty());
  EXPECT_THAT(refused_change(security, "routes/a", kGuarded, kOpen), IsEmpty());
  EXPECT_THAT(refused_change(security, "routes/a", kOpen, "{upstream: b}"),
              HasSubstr("`upstream`"));
  EXPECT_THAT(refused_change(security, "routes/a", {}, kOpen), HasSubstr("sysadmin"));
  EXPECT_THAT(refused_change(security, "routes/a", kGuarded, std::nullopt), IsEmpty());
  EXPECT_THAT(refused_change(security, "routes/a", kOpen, std::nullopt), HasSubstr("sysadmin"));
  EXPECT_THAT(refused_change(security, "upstreams/a", "{endpoints: [a:1], tls: {}}",
                             "{endpoints: [a:1], tls: {verify: false}}"),
              IsEmpty());
}

}  // namespace
}  // namespace hangu::admin
