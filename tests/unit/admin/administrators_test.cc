#include "hangu/admin/administrators.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hangu/base/base64.h"

namespace hangu::admin {
namespace {

using config::AdminRole;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr uint32_t kLiUid = 1000;
constexpr int64_t kWall = 1'800'000'000;

class AdministratorsTest : public testing::Test {
 protected:
  AdministratorsTest() {
    config_.administrators = {
        {.name = "li", .role = AdminRole::kSystem, .account = "liwei", .hash = {}},
        {.name = "wang", .role = AdminRole::kSecurity, .account = {}, .hash = "hash-of-wang"},
        {.name = "zhao",
         .role = AdminRole::kAudit,
         .account = {},
         .hash = "hash-of-zhao",
         .expires_s = kWall + 7200}};
    config_.attempts = 3;
    all_.follow(config_);
  }

  static std::string basic(std::string_view name, std::string_view password) {
    return "Basic " + encode_base64(std::string(name) + ":" + std::string(password));
  }

  Now now() const { return {.steady = TimePoint(passed_), .wall_s = kWall + seconds_passed()}; }

  int64_t seconds_passed() const { return std::chrono::duration_cast<seconds>(passed_).count(); }

  /// The whole of a login; the password is right when it is "hash-of-" without that.
  Result<std::string, Refusal> log_in(std::string_view name, std::string_view password) {
    auto login = all_.begin_login(remote_, basic(name, password), now());
    if (!login) {
      return Failure<Refusal>{login.error().kind};
    }
    return all_.end_login(*login, login->hash == "hash-of-" + login->password, now());
  }

  std::string token_of(std::string_view name) {
    auto token = log_in(name, name);
    EXPECT_TRUE(token.has_value());
    return "Bearer " + *token;
  }

  Result<Caller, Refusal> admit(Roles roles, std::string_view authorization) {
    return all_.admit(roles, remote_, authorization, now());
  }

  config::Admin config_;
  Administrators all_{[](const std::string& account) {
    return account == "liwei" ? std::optional(kLiUid) : std::nullopt;
  }};
  Peer remote_{.text = "tcp=192.0.2.1:40000", .place = "192.0.2.1", .uid = std::nullopt};
  Duration passed_ = std::chrono::hours(1);
};

TEST_F(AdministratorsTest, WithoutAnyWhoeverComesMayDoEverything) {
  all_.follow({});
  EXPECT_FALSE(all_.required());
  const auto caller = admit(kSecurity, "");
  ASSERT_TRUE(caller.has_value());
  EXPECT_EQ(caller->actor, "tcp=192.0.2.1:40000");
  EXPECT_FALSE(caller->role.has_value());
}

TEST_F(AdministratorsTest, AnAccountAtTheSocketIsKnown) {
  const Peer li{.text = "uid=1000 pid=7", .place = "uid=1000", .uid = kLiUid};
  const auto caller = all_.admit(kSystem | kSecurity, li, "", now());
  ASSERT_TRUE(caller.has_value());
  EXPECT_EQ(caller->actor, "li uid=1000 pid=7");
  EXPECT_EQ(caller->role, AdminRole::kSystem);
  EXPECT_EQ(all_.admit(kSecurity, li, "", now()).error(), Refusal::kForbidden);
  const Peer root{.text = "uid=0 pid=8", .place = "uid=0", .uid = 0};
  EXPECT_EQ(all_.admit(kEverybody, root, "", now()).error(), Refusal::kUnknown);
  EXPECT_TRUE(all_.admit(kAnyone, root, "", now()).has_value());
}

TEST_F(AdministratorsTest, ATokenThatIsWrongIsNotMadeUpForByAnAccount) {
  const Peer li{.text = "uid=1000 pid=7", .place = "uid=1000", .uid = kLiUid};
  EXPECT_EQ(all_.admit(kSystem, li, "Bearer hs_nothing", now()).error(), Refusal::kUnknown);
}

TEST_F(AdministratorsTest, ASessionHasTheRoleOfItsAdministrator) {
  const std::string token = token_of("wang");
  EXPECT_TRUE(admit(kSecurity, token).has_value());
  EXPECT_EQ(admit(kAudit, token).error(), Refusal::kForbidden);
  EXPECT_EQ(admit(kSystem, token).error(), Refusal::kForbidden);
  all_.log_out(token);
  EXPECT_EQ(admit(kSecurity, token).error(), Refusal::kUnknown);
  const auto ended = all_.take_ended(now());
  ASSERT_EQ(ended.size(), 1U);
  EXPECT_EQ(ended[0].name, "wang");
  EXPECT_EQ(ended[0].end, SessionEnd::kAsked);
}

TEST_F(AdministratorsTest, SessionsEndWhenIdleAndWhenOld) {
  std::string token = token_of("wang");
  passed_ += config_.idle_timeout - seconds(1);
  EXPECT_TRUE(admit(kSecurity, token).has_value());
  passed_ += config_.idle_timeout;
  EXPECT_EQ(admit(kSecurity, token).error(), Refusal::kUnknown);
  EXPECT_EQ(all_.take_ended(now()).at(0).end, SessionEnd::kIdle);

  token = token_of("wang");
  for (Duration used{}; used < config_.session_max - minutes(1); used += minutes(1)) {
    ASSERT_TRUE(admit(kSecurity, token).has_value());
    passed_ += minutes(1);
  }
  EXPECT_TRUE(all_.take_ended(now()).empty());
  passed_ += minutes(1);
  EXPECT_EQ(admit(kSecurity, token).error(), Refusal::kUnknown);
  EXPECT_EQ(all_.take_ended(now()).at(0).end, SessionEnd::kAge);
}

TEST_F(AdministratorsTest, WrongPasswordsLockTheNameFromThatPlace) {
  EXPECT_EQ(log_in("wang", "x").error(), Refusal::kUnknown);
  EXPECT_EQ(log_in("wang", "x").error(), Refusal::kUnknown);
  EXPECT_EQ(log_in("wang", "x").error(), Refusal::kLocked);
  EXPECT_EQ(log_in("wang", "wang").error(), Refusal::kLocked);
  EXPECT_TRUE(log_in("zhao", "zhao").has_value());
  const Peer elsewhere{.text = "tcp=192.0.2.2:1", .place = "192.0.2.2", .uid = std::nullopt};
  EXPECT_TRUE(all_.begin_login(elsewhere, basic("wang", "wang"), now()).has_value());
  passed_ += config_.lockout;
  EXPECT_TRUE(log_in("wang", "wang").has_value());
}

TEST_F(AdministratorsTest, WhoDoesNotExistTakesAsLongAndIsNeverRight) {
  const auto login = all_.begin_login(remote_, basic("nobody", "x"), now());
  ASSERT_TRUE(login.has_value());
  EXPECT_FALSE(login->hash.empty());
  EXPECT_EQ(all_.end_login(*login, true, now()).error(), Refusal::kUnknown);
  EXPECT_EQ(log_in("li", "").error(), Refusal::kUnknown);  // has no password
}

TEST_F(AdministratorsTest, WhatIsNoCredentialIsRefused) {
  for (const char* text : {"", "Basic", "Basic !", "Basic eA==", "Bearer x"}) {
    EXPECT_EQ(all_.begin_login(remote_, text, now()).error().kind, Refusal::kUnknown) << text;
  }
}

TEST_F(AdministratorsTest, WhoHasExpiredIsNobody) {
  const std::string token = token_of("zhao");
  EXPECT_TRUE(admit(kAudit, token).has_value());
  config_.idle_timeout = config_.session_max = std::chrono::hours(2);
  all_.follow(config_);
  passed_ = std::chrono::hours(2);
  EXPECT_EQ(admit(kAudit, token).error(), Refusal::kUnknown);
  EXPECT_EQ(log_in("zhao", "zhao").error(), Refusal::kUnknown);
}

TEST_F(AdministratorsTest, AChangeOfTheAdministratorEndsTheSession) {
  const std::string wang = token_of("wang");
  const std::string zhao = token_of("zhao");
  config_.administrators[1].hash = "hash-of-another";
  all_.follow(config_);
  EXPECT_EQ(admit(kSecurity, wang).error(), Refusal::kUnknown);
  EXPECT_TRUE(admit(kAudit, zhao).has_value());
  EXPECT_EQ(all_.take_ended(now()).at(0).end, SessionEnd::kConfig);
}

TEST_F(AdministratorsTest, ALoginThatBeganBeforeTheChangeFails) {
  const auto login = all_.begin_login(remote_, basic("wang", "wang"), now());
  config_.administrators.erase(config_.administrators.begin() + 1);
  all_.follow(config_);
  EXPECT_EQ(all_.end_login(*login, true, now()).error(), Refusal::kUnknown);
}

TEST_F(AdministratorsTest, SessionsAndLoginsAreBounded) {
  std::vector<Administrators::Login> begun;
  for (size_t i = 0; i < Administrators::kLoginsMax; ++i) {
    begun.push_back(*all_.begin_login(remote_, basic("wang", "wang"), now()));
  }
  EXPECT_EQ(log_in("wang", "wang").error(), Refusal::kBusy);
  for (const auto& login : begun) {
    EXPECT_TRUE(all_.end_login(login, true, now()).has_value());
  }
  for (size_t i = begun.size(); i < Administrators::kSessionsMax; ++i) {
    EXPECT_TRUE(log_in("wang", "wang").has_value());
  }
  EXPECT_EQ(log_in("wang", "wang").error(), Refusal::kBusy);
}

}  // namespace
}  // namespace hangu::admin
