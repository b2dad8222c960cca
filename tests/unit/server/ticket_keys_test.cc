// What session tickets of a listener open with when the keys of a fleet arrive.
#include <chrono>

#include <gtest/gtest.h>

#include "hangu/server/tls_contexts.h"

namespace hangu::server {
namespace {

constexpr std::time_t kRotation = 3600;

class ListenerTicketsTest : public testing::Test {
 protected:
  ListenerTicketsTest() {
    listener_.name = "secure";
    listener_.tls.ticket_rotation = std::chrono::seconds(kRotation);
  }

  tls::TicketKeys at(std::time_t now) { return ticket_keys(listener_, tickets_, now); }

  bool opens(const tls::TicketKey& key, std::time_t now) {
    return at(now).find(key.name.data()) != nullptr;
  }

  config::Listener listener_;
  TicketSecrets tickets_;
};

TEST_F(ListenerTicketsTest, OwnOnesOpenForTwiceTheirTime) {
  const tls::TicketKey first = at(1000).current;
  EXPECT_EQ(at(1000 + kRotation - 1).current.name, first.name);
  EXPECT_NE(at(1000 + kRotation).current.name, first.name);
  EXPECT_TRUE(opens(first, 1000 + 2 * kRotation - 1));
  EXPECT_FALSE(opens(first, 1000 + 2 * kRotation));
}

TEST_F(ListenerTicketsTest, TheyDoSoWhenSharedOnesArrive) {
  const tls::TicketKey first = at(1000).current;
  const tls::TicketKey second = at(1000 + kRotation).current;
  tickets_.shared = {std::string(32, 'a'), std::string(32, 'b')};
  EXPECT_NE(at(1000 + kRotation).current.name, second.name);
  EXPECT_TRUE(opens(first, 1000 + 2 * kRotation - 1));
  EXPECT_FALSE(opens(first, 1000 + 2 * kRotation));
  EXPECT_TRUE(opens(second, 1000 + 3 * kRotation - 1));
  EXPECT_FALSE(opens(second, 1000 + 3 * kRotation));
}

TEST_F(ListenerTicketsTest, SharedOnesAreAlikeOnAllNodesAndApartByListener) {
  tickets_.shared = {std::string(32, 'a'), std::string(32, 'b')};
  const tls::TicketKeys here = at(1000);
  TicketSecrets there{.own = {}, .shared = {std::string(32, 'b'), std::string(32, 'a')}};
  const tls::TicketKeys theirs = ticket_keys(listener_, there, 5);
  EXPECT_EQ(theirs.others.at(0).name, here.current.name);
  EXPECT_EQ(theirs.current.mac_key, here.others.at(0).mac_key);
  listener_.name = "another";
  EXPECT_FALSE(opens(here.current, 1000));
}

}  // namespace
}  // namespace hangu::server
