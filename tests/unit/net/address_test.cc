#include "hangu/net/address.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <string>

#include <gtest/gtest.h>

namespace hangu::net {
namespace {

TEST(Address, ParsesAndPrints) {
  for (const char* text : {"192.0.2.1:80", "127.0.0.1:0", "[::]:443", "[2001:db8::1]:65535",
                           "unix:/run/app.sock", "0.0.0.0:8080"}) {
    const auto address = Address::parse(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->to_string(), text);
  }
  EXPECT_EQ(Address::parse("[2001:db8:0:0::1]:80")->to_string(), "[2001:db8::1]:80");
}

TEST(Address, HasParts) {
  const Address v4 = *Address::parse("192.0.2.1:80");
  EXPECT_EQ(v4.family(), AF_INET);
  EXPECT_EQ(v4.port(), 80);
  EXPECT_EQ(v4.ip_string(), "192.0.2.1");
  EXPECT_EQ(v4.ip_bytes(), std::string_view("\xc0\x00\x02\x01", 4));
  const Address v6 = *Address::parse("[2001:db8::1]:8443");
  EXPECT_TRUE(v6.is_v6());
  EXPECT_EQ(v6.port(), 8443);
  EXPECT_EQ(v6.ip_string(), "2001:db8::1");
  EXPECT_EQ(v6.ip_bytes().size(), 16U);
  const Address local = *Address::parse("unix:/run/a");
  EXPECT_TRUE(local.is_unix());
  EXPECT_EQ(local.port(), 0);
  EXPECT_EQ(local.ip_string(), "unix");
  EXPECT_EQ(local.unix_path(), "/run/a");
  EXPECT_EQ(local.ip_bytes(), "");
}

TEST(Address, RejectsWhatIsNone) {
  for (const char* text :
       {"", ":80", "localhost:80", "1.2.3.4", "1.2.3.4:", "1.2.3.4:65536", "1.2.3.4:+1", "1.2.3:80",
        "::1:80", "[::1]", "[]:80", "[::1:80", "[1.2.3.4]:80", "unix:", "1.2.3.4:80 ",
        " 1.2.3.4:80", "[fe80::1%eth0]:80"}) {
    EXPECT_FALSE(Address::parse(text)) << text;
  }
  EXPECT_FALSE(Address::parse("unix:" + std::string(200, 'p')));
}

TEST(Address, MappedIPv4IsIPv4) {
  const auto mapped = Address::parse("[::ffff:192.0.2.1]:80");
  ASSERT_TRUE(mapped);
  EXPECT_EQ(*mapped, *Address::parse("192.0.2.1:80"));
  EXPECT_EQ(mapped->to_string(), "192.0.2.1:80");
  EXPECT_EQ(Address::from_ip(std::string_view("\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\1", 16), 5),
            *Address::parse("127.0.0.1:5"));
}

TEST(Address, Compares) {
  EXPECT_EQ(*Address::parse("1.2.3.4:80"), *Address::parse("1.2.3.4:80"));
  EXPECT_FALSE(*Address::parse("1.2.3.4:80") == *Address::parse("1.2.3.4:81"));
  EXPECT_FALSE(*Address::parse("1.2.3.4:80") == *Address::parse("1.2.3.5:80"));
  EXPECT_FALSE(*Address::parse("[::1]:80") == *Address::parse("[::2]:80"));
  EXPECT_FALSE(*Address::parse("[::]:80") == *Address::parse("0.0.0.0:80"));
  EXPECT_FALSE(*Address::parse("unix:/a") == *Address::parse("unix:/b"));
  EXPECT_EQ(Address(), Address());
}

TEST(Address, FromTheSocket) {
  int fds[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
  EXPECT_TRUE(peer_address(fds[0]).is_unix());
  EXPECT_EQ(peer_address(fds[0]).unix_path(), "");
  ::close(fds[0]);
  ::close(fds[1]);
  EXPECT_EQ(peer_address(-1).family(), AF_UNSPEC);
}

TEST(IpPrefix, Contains) {
  const auto in = [](const char* prefix, const char* address) {
    return IpPrefix::parse(prefix)->contains(*Address::parse(address));
  };
  EXPECT_TRUE(in("10.0.0.0/8", "10.255.0.1:1"));
  EXPECT_FALSE(in("10.0.0.0/8", "11.0.0.1:1"));
  EXPECT_TRUE(in("192.0.2.128/25", "192.0.2.200:1"));
  EXPECT_FALSE(in("192.0.2.128/25", "192.0.2.127:1"));
  EXPECT_TRUE(in("192.0.2.1", "192.0.2.1:1"));
  EXPECT_FALSE(in("192.0.2.1", "192.0.2.2:1"));
  EXPECT_TRUE(in("0.0.0.0/0", "192.0.2.2:1"));
  EXPECT_FALSE(in("0.0.0.0/0", "[::1]:1"));
  EXPECT_TRUE(in("2001:db8::/33", "[2001:db8:7fff::1]:1"));
  EXPECT_FALSE(in("2001:db8::/33", "[2001:db8:8000::1]:1"));
  EXPECT_TRUE(in("10.0.0.0/8", "[::ffff:10.1.2.3]:1"));
  EXPECT_FALSE(in("10.0.0.0/8", "unix:/a"));
}

TEST(IpPrefix, RejectsWhatIsNone) {
  for (const char* text : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.1/8", "10.0.0.0/8/8",
                           "10/8", "::/129", "::1/64", "host/8", "10.0.0.0/-1"}) {
    EXPECT_FALSE(IpPrefix::parse(text)) << text;
  }
}

}  // namespace
}  // namespace hangu::net
