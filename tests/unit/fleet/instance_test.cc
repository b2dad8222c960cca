#include "hangu/fleet/instance.h"

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
  EXPECT_EQ(plain->host, "10.0.0.7");
  EXPECT_EQ(plain->port, 9000);
  EXPECT_EQ(plain->weight, 1U);
  EXPECT_EQ(parse_instance("[2001:db8::1]:80").value().host, "2001:db8::1");
  EXPECT_EQ(parse_instance("App.Example.org:80").value().host, "app.example.org");
}

TEST(InstanceTest, AnObjectSaysMore) {
  const auto full = parse_instance(
      R"({"address": "10.0.0.7:9000", "weight": 100, "priority": 1, "zone": "east"})");
  ASSERT_TRUE(full);
  EXPECT_EQ(full->weight, 100U);
  EXPECT_EQ(full->priority, 1U);
  EXPECT_TRUE(parse_instance(R"({"address": "10.0.0.7:9000", "weight": null})"));
}

TEST(InstanceTest, WhatEtcdsLibraryForGoWrites) {
  const auto go = parse_instance(R"({"Op":0,"Addr":"10.0.0.7:9000","Metadata":null})");
  ASSERT_TRUE(go);
  EXPECT_EQ(go->port, 9000);
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

TEST(InstanceTest, SocketsOfThisMachineAreNoInstances) {
  EXPECT_THAT(why_not("unix:/run/docker.sock"), HasSubstr("socket"));
  EXPECT_THAT(why_not(R"({"address": "unix:/run/docker.sock"})"), HasSubstr("socket"));
}

}  // namespace
}  // namespace hangu::fleet
