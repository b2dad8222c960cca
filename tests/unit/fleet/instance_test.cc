#include "hangu/fleet/instance.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hangu::fleet {
namespace {

using testing::HasSubstr;

std::string why_not(const std::string& value) {
  const auto parsed = parse_instance(value);
  return parsed ? "it is good" : parsed.error();
}

TEST(InstanceTest, AnAddressAlone) {
  const auto plain = parse_instance(" 10.0.0.7:9000\n");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->endpoint.host, "10.0.0.7");
  EXPECT_EQ(plain->endpoint.port, 9000);
  EXPECT_EQ(plain->endpoint.weight, 1U);
  EXPECT_EQ(parse_instance("[2001:db8::1]:80").value().endpoint.host, "2001:db8::1");
  EXPECT_EQ(parse_instance("App.Example.org:80").value().endpoint.host, "app.example.org");
}

TEST(InstanceTest, AnObjectSaysMore) {
  const auto full = parse_instance(
      R"({"address": "10.0.0.7:9000", "weight": 100, "priority": 1, "zone": "east"})");
  ASSERT_TRUE(full);
  EXPECT_EQ(full->endpoint.weight, 100U);
  EXPECT_EQ(full->endpoint.priority, 1U);
  EXPECT_TRUE(parse_instance(R"({"address": "10.0.0.7:9000", "weight": null})"));
}

TEST(InstanceTest, WhatEtcdsLibraryForGoWrites) {
  const auto go = parse_instance(R"({"Op":0,"Addr":"10.0.0.7:9000","Metadata":null})");
  ASSERT_TRUE(go);
  EXPECT_EQ(go->endpoint.port, 9000);
}

TEST(InstanceTest, WhatIsNotGoodSaysWhy) {
  EXPECT_THAT(why_not(""), HasSubstr("not an endpoint"));
  EXPECT_THAT(why_not("nonsense"), HasSubstr("not an endpoint"));
  EXPECT_THAT(why_not("10.0.0.7:0"), HasSubstr("not an endpoint"));
  EXPECT_THAT(why_not("{"), HasSubstr("no JSON"));
  EXPECT_THAT(why_not("{}"), HasSubstr("lacks \"address\""));
  EXPECT_THAT(why_not(R"({"address": 5})"), HasSubstr("lacks \"address\""));
  for (const char* weight : {"0", "1001", "-1", "\"5\"", "1.5", "1e30", "99999999999999999999"}) {
    EXPECT_THAT(why_not(fmt::format(R"({{"address": "10.0.0.7:9000", "weight": {}}})", weight)),
                HasSubstr("weight"));
  }
  EXPECT_THAT(why_not(R"({"address": "10.0.0.7:9000", "priority": 8})"), HasSubstr("priority"));
  EXPECT_THAT(why_not(std::string(kInstanceBytesMax + 1, ' ')), HasSubstr("bytes"));
}

TEST(InstanceTest, ItsLabels) {
  const auto with = parse_instance(
      R"({"address": "10.0.0.7:9000", "labels": {"version": "2.0", "app.org/zone": ""}})");
  ASSERT_TRUE(with);
  EXPECT_EQ(with->labels, (config::InstanceLabels{{"version", "2.0"}, {"app.org/zone", ""}}));
  const auto none = parse_instance(R"({"address": "10.0.0.7:9000", "labels": null})");
  ASSERT_TRUE(none);
  EXPECT_TRUE(none->labels.empty());
}

TEST(InstanceTest, LabelsThatAreNoneSayWhy) {
  const auto labelled = [](const std::string& labels) {
    return why_not(R"({"address": "10.0.0.7:9000", "labels": )" + labels + "}");
  };
  EXPECT_THAT(labelled("[]"), HasSubstr("\"labels\" is no object"));
  EXPECT_THAT(labelled("\"v2\""), HasSubstr("\"labels\" is no object"));
  EXPECT_THAT(labelled(R"({"version": 2})"), HasSubstr("\"version\", which is no text"));
  EXPECT_THAT(labelled(R"({"": "2"})"), HasSubstr("a name"));
  EXPECT_THAT(labelled(R"({"a b": "2"})"), HasSubstr("a name"));
  EXPECT_THAT(labelled(R"({"version": "a\nb"})"), HasSubstr("control characters"));
  EXPECT_THAT(labelled("{\"version\": \"" + std::string(129, 'a') + "\"}"), HasSubstr("128 bytes"));
  std::string many;
  for (size_t i = 0; i <= config::kInstanceLabelsMax; ++i) {
    many += fmt::format(R"({}"a{}": "b")", many.empty() ? "" : ", ", i);
  }
  EXPECT_THAT(labelled("{" + many + "}"), HasSubstr("33 members, more than 32"));
}

TEST(InstanceTest, SocketsOfThisMachineAreNoInstances) {
  EXPECT_THAT(why_not("unix:/run/docker.sock"), HasSubstr("socket"));
  EXPECT_THAT(why_not(R"({"address": "unix:/run/docker.sock"})"), HasSubstr("socket"));
}

}  // namespace
}  // namespace hangu::fleet
