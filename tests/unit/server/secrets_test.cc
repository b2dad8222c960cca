// What passes to a successor is what was there.
#include "server/secrets.h"

#include <gtest/gtest.h>

namespace hangu::server {
namespace {

tls::TicketKey key(uint8_t seed) {
  tls::TicketKey key;
  key.name.fill(seed);
  key.cipher_key.fill(static_cast<uint8_t>(seed + 1));
  key.mac_key.fill(static_cast<uint8_t>(seed + 2));
  return key;
}

TEST(SecretsTest, ComeBackAsTheyWere) {
  Secrets secrets{.sticky = "aa", .session = "b-_b", .ticket_keys = {}};
  secrets.ticket_keys["web"] = {.keys = {.current = key(1), .others = {key(4), key(7)}},
                                .since = 17};
  secrets.ticket_keys["new"] = {.keys = {.current = key(9), .others = {}}, .since = 18};
  const Secrets read = decode_secrets(encode(secrets));
  EXPECT_EQ(read.sticky, "aa");
  EXPECT_EQ(read.session, "b-_b");
  ASSERT_EQ(read.ticket_keys.size(), 2u);
  const TicketKeyState& web = read.ticket_keys.at("web");
  EXPECT_EQ(web.since, 17);
  EXPECT_EQ(web.keys.current.mac_key, key(1).mac_key);
  ASSERT_EQ(web.keys.others.size(), 2u);
  for (const uint8_t seed : {uint8_t{1}, uint8_t{4}, uint8_t{7}}) {
    const tls::TicketKey* found = web.keys.find(key(seed).name.data());
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(found->cipher_key, key(seed).cipher_key);
  }
  EXPECT_EQ(web.keys.find(key(9).name.data()), nullptr);
  EXPECT_TRUE(read.ticket_keys.at("new").keys.others.empty());
}

TEST(SecretsTest, WhatCannotBeReadIsLeftOut) {
  const Secrets read =
      decode_secrets("ticket web 1 zz\nsession\nticket\n\nsession ok\nsticky a b\n");
  EXPECT_EQ(read.session, "ok");
  EXPECT_TRUE(read.sticky.empty());
  EXPECT_TRUE(read.ticket_keys.empty());
}

TEST(TicketKeysTest, RotationForgetsTheOldest) {
  const tls::TicketKeys first = tls::rotate(nullptr);
  const tls::TicketKeys second = tls::rotate(&first);
  const tls::TicketKeys third = tls::rotate(&second);
  EXPECT_NE(second.find(first.current.name.data()), nullptr);
  EXPECT_EQ(third.find(first.current.name.data()), nullptr);
  EXPECT_NE(third.find(second.current.name.data()), nullptr);
}

}  // namespace
}  // namespace hangu::server
