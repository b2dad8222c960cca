#include "control/instance_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hangu::control {
namespace {

config::Endpoint endpoint(const std::string& host, uint16_t port) {
  config::Endpoint made;
  made.host = host;
  made.port = port;
  return made;
}

TEST(InstanceCacheTest, TextReadsBack) {
  config::Endpoint heavy = endpoint("2001:db8::1", 443);
  heavy.weight = 7;
  heavy.priority = 2;
  config::Endpoint socket;
  socket.unix_path = "/run/app.sock";
  const CachedUpstreams upstreams = {
      {"orders", {"etcd /services/orders/", {endpoint("192.0.2.1", 80), heavy}}},
      {"users", {"file /etc/users.yaml", {endpoint("app.test", 8080), socket}}}};
  const auto read = cached_from_text(to_text(upstreams));
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, upstreams);
}

TEST(InstanceCacheTest, WhatIsDamagedIsNotBelieved) {
  for (const std::string text :
       {"", "nonsense", "{}", R"({"version":2,"upstreams":{}})", R"({"version":1})",
        R"({"version":1,"upstreams":[]})", R"({"version":1,"upstreams":{"a":5}})",
        R"({"version":1,"upstreams":{"a":{"source":"x","endpoints":[{"address":"nonsense"}]}}})",
        R"({"version":1,"upstreams":{"a":{"source":"x","endpoints":[
            {"address":"192.0.2.1:80","weight":0,"priority":0}]}}})",
        R"({"version":1,"upstreams":{"a":{"source":"x","endpoints":[
            {"address":"192.0.2.1:80","weight":1,"priority":8}]}}})"}) {
    EXPECT_FALSE(cached_from_text(text)) << text;
  }
}

}  // namespace
}  // namespace hangu::control
