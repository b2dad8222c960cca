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

TEST(DocumentRightsTest, WhatIsReadOfFilesIsTheSecadmins) {
  const auto system = AdminRole::kSystem;
  for (const char* route :
       {"{respond: {status: 200, file: /etc/passwd}}", "{respond: {body: \"${PASSWORD}\"}}",
        "{upstream: a, response_headers: {set: {x-token: 'file:/etc/passwd'}}}",
        "{upstream: a, request_headers: {set: {x-a: \"${A:-file:/etc/passwd}\"}}}"}) {
    EXPECT_THAT(refused_change(system, "routes/a", {}, route), HasSubstr("secadmin")) << route;
    EXPECT_THAT(refused_change(system, "routes/a", kOpen, route), HasSubstr("secadmin")) << route;
  }
  for (const char* route : {"{respond: {status: 200, body: hello}}",
                            "{upstream: a, request_headers: {set: {x-a: \"{client_ip}\"}}}"}) {
    EXPECT_THAT(refused_change(system, "routes/a", {}, route), IsEmpty()) << route;
  }
  EXPECT_THAT(refused_change(system, "stores/a", {}, "{password: 'file:/run/secrets/a'}"),
              IsEmpty());
  EXPECT_THAT(refused_change(system, "stores/a", {}, "{url: 'file:/run/secrets/a'}"),
              HasSubstr("`url`"));

  constexpr const char* kFile = "{upstream: a, respond: {file: /etc/closed.html}}";
  EXPECT_THAT(refused_change(AdminRole::kSecurity, "routes/a", kOpen, kFile), IsEmpty());
  EXPECT_THAT(refused_change(AdminRole::kSecurity, "routes/a", kFile, kOpen), IsEmpty());
  EXPECT_THAT(
      refused_change(system, "routes/a", kFile, "{upstream: b, respond: {file: /etc/closed.html}}"),
      IsEmpty())
      << "what the secadmin has set stays";
  EXPECT_THAT(refused_change(system, "routes/a", kFile, kOpen), HasSubstr("`respond`"));
}

}  // namespace
}  // namespace hangu::admin
