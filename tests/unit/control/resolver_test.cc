#include "hangu/control/resolver.h"

#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/control/dns_double.h"
#include "tests/unit/control/run_until.h"

namespace hangu::control {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

class ResolverTest : public testing::Test {
 protected:
  DnsAnswer resolve(const std::string& name) {
    std::optional<DnsAnswer> answer;
    resolver_->resolve(name, [&](DnsAnswer got) { answer = std::move(got); });
    EXPECT_TRUE(run_until(context_, [&] { return answer.has_value(); })) << name;
    return answer.value_or(DnsAnswer{});
  }

  SrvAnswer resolve_srv(const std::string& name) {
    std::optional<SrvAnswer> answer;
    resolver_->resolve_srv(name, [&](SrvAnswer got) { answer = std::move(got); });
    EXPECT_TRUE(run_until(context_, [&] { return answer.has_value(); })) << name;
    return answer.value_or(SrvAnswer{});
  }

  boost::asio::io_context context_;
  DnsDouble server_{context_};
  std::unique_ptr<Resolver> resolver_ = make_resolver(
      context_, {.servers = server_.address(), .query_timeout = milliseconds(100), .tries = 1});
};

TEST_F(ResolverTest, GivesAddressesSortedAndOnceWithTheirTtl) {
  server_.set("users.test", {.v4 = {"192.0.2.9", "192.0.2.1", "192.0.2.9"}, .ttl = 7});
  const DnsAnswer answer = resolve("users.test");
  EXPECT_THAT(answer.addresses, ElementsAre("192.0.2.1", "192.0.2.9"));
  EXPECT_EQ(answer.ttl, seconds(7));
  EXPECT_EQ(answer.error, "");
}

TEST_F(ResolverTest, AsksForBothFamilies) {
  server_.set("both.test", {.v4 = {"127.0.0.2"}, .v6 = {"::1"}});
  const DnsAnswer answer = resolve("both.test");
  // Where the machine has no IPv6 at all, the second is left out.
  EXPECT_THAT(answer.addresses, testing::Contains("127.0.0.2"));
  EXPECT_EQ(answer.addresses, keep_reachable({"127.0.0.2", "::1"}));
}

TEST_F(ResolverTest, AnUnknownNameIsAnError) {
  const DnsAnswer answer = resolve("nobody.test");
  EXPECT_THAT(answer.addresses, IsEmpty());
  EXPECT_NE(answer.error, "");
}

TEST_F(ResolverTest, ANameWithoutAddressesIsAnError) {
  server_.set("empty.test", {});
  const DnsAnswer answer = resolve("empty.test");
  EXPECT_THAT(answer.addresses, IsEmpty());
  EXPECT_NE(answer.error, "");
}

TEST_F(ResolverTest, ASilentServerIsAnErrorInTime) {
  server_.set("silent.test", {.silent = true});
  const DnsAnswer answer = resolve("silent.test");
  EXPECT_THAT(answer.addresses, IsEmpty());
  EXPECT_NE(answer.error, "");
}

TEST_F(ResolverTest, HostsFileComesAfterDnsButIsHonoured) {
  const DnsAnswer answer = resolve("localhost");
  EXPECT_THAT(answer.addresses, testing::Contains("127.0.0.1"));
  EXPECT_EQ(server_.queries(), 0U);
}

TEST_F(ResolverTest, ReloadingTheSystemConfigKeepsItUsable) {
  server_.set("users.test", {.v4 = {"192.0.2.1"}});
  resolve("users.test");
  resolver_->reload_system_config();
  EXPECT_THAT(resolve("users.test").addresses, ElementsAre("192.0.2.1"));
}

TEST_F(ResolverTest, DestructionForgetsWhatIsUnderWay) {
  server_.set("silent.test", {.silent = true});
  bool called = false;
  resolver_->resolve("silent.test", [&](const DnsAnswer&) { called = true; });
  resolver_.reset();
  EXPECT_FALSE(called);
}

TEST_F(ResolverTest, SrvRecordsComeSortedWithTheirTtl) {
  server_.set(
      "_http._tcp.test",
      {.srv = {{1, 30, 8080, "B.test"}, {0, 5, 80, "c.test"}, {0, 1, 65535, "a.test"}}, .ttl = 9});
  const SrvAnswer answer = resolve_srv("_http._tcp.test");
  EXPECT_EQ(answer.error, "");
  EXPECT_EQ(answer.ttl, seconds(9));
  EXPECT_THAT(answer.records,
              ElementsAre(SrvRecord{"a.test", 65535, 0, 1}, SrvRecord{"b.test", 8080, 1, 30},
                          SrvRecord{"c.test", 80, 0, 5}));
}

TEST_F(ResolverTest, SrvRecordsThatSayThereIsNoServiceAreNone) {
  server_.set("_none._tcp.test", {.srv = {{0, 0, 0, ""}}});
  const SrvAnswer answer = resolve_srv("_none._tcp.test");
  EXPECT_THAT(answer.records, IsEmpty());
  EXPECT_EQ(answer.error, "");
  EXPECT_NE(resolve_srv("nobody.test").error, "");
  server_.set("silent.test", {.silent = true});
  EXPECT_NE(resolve_srv("silent.test").error, "");
}

TEST(KeepReachableTest, KeepsSomethingRatherThanNothing) {
  EXPECT_THAT(keep_reachable({"127.0.0.1"}), ElementsAre("127.0.0.1"));
  EXPECT_THAT(keep_reachable({}), IsEmpty());
  EXPECT_EQ(keep_reachable({"2001:db8::1"}).size(), 1U);
}

}  // namespace
}  // namespace hangu::control
