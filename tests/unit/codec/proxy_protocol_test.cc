#include "hangu/codec/http1/proxy_protocol.h"

#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/codec/replay.h"

namespace hangu::codec::http1::test {
namespace {

using testing::StartsWith;
using namespace std::string_view_literals;

std::string describe(const ProxyEndpoint& endpoint) {
  std::string text;
  for (const char byte : endpoint.ip()) {
    text += std::to_string(static_cast<unsigned char>(byte)) + ".";
  }
  return text + ":" + std::to_string(endpoint.port);
}

/// "192.0.2.1.:1 192.0.2.2.:2 +behind", "local +behind", "need more" or "bad_proxy_header (why)".
/// The parser sees what has arrived so far, as a connection would show it.
std::string replay_proxy(std::string_view input) {
  return replay(input, [input](const Cuts& cuts) -> std::string {
    size_t arrived = 0;
    for (const std::string_view cut : cuts) {
      arrived += cut.size();
      const Piece piece(input.substr(0, arrived));
      const auto header = parse_proxy_header(piece.view());
      if (!header) {
        return test::describe(header.error(), Side::kDownstream);
      }
      if (header->consumed != 0) {
        const std::string behind = " +" + std::string(input.substr(header->consumed));
        return (header->local ? "local"
                              : describe(header->source) + " " + describe(header->destination)) +
               behind;
      }
    }
    return "need more";
  });
}

TEST(ProxyProtocol1, UnderstandsAddresses) {
  EXPECT_EQ(replay_proxy("PROXY TCP4 192.0.2.1 198.51.100.2 1024 443\r\nGET /"),
            "192.0.2.1.:1024 198.51.100.2.:443 +GET /");
  EXPECT_EQ(replay_proxy("PROXY TCP4 0.0.0.0 255.255.255.255 0 65535\r\n"),
            "0.0.0.0.:0 255.255.255.255.:65535 +");
  EXPECT_EQ(replay_proxy("PROXY TCP6 2001:db8::1 ::ffff:192.0.2.1 1 2\r\n\r\n"),
            "32.1.13.184.0.0.0.0.0.0.0.0.0.0.0.1.:1 "
            "0.0.0.0.0.0.0.0.0.0.255.255.192.0.2.1.:2 +\r\n");
  EXPECT_EQ(replay_proxy("PROXY UNKNOWN\r\nx"), "local +x");
  EXPECT_EQ(replay_proxy("PROXY UNKNOWN whatever stands here\r\n"), "local +");
}

TEST(ProxyProtocol1, RefusesEverythingElse) {
  constexpr std::string_view kCases[] = {
      "GET / HTTP/1.1\r\n",
      "proxy TCP4 192.0.2.1 192.0.2.2 1 2\r\n",
      " PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n",
      "PROXY\tTCP4 192.0.2.1 192.0.2.2 1 2\r\n",
      "PROXY \r\n",
      "PROXY  TCP4 192.0.2.1 192.0.2.2 1 2\r\n",
      "PROXY tcp4 192.0.2.1 192.0.2.2 1 2\r\n",
      "PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n",
      "PROXY UNKNOWNS\r\n",
      "PROXY TCP4\r\n",
      "PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n",
      "PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n",
      "PROXY TCP4 192.0.2.1 192.0.2.2 1 2 \r\n",
      "PROXY TCP4 192.0.2.1  192.0.2.2 1 2\r\n",
      "PROXY TCP4 192.0.2.256 192.0.2.2 1 2\r\n",
      "PROXY TCP4 192.0.2 192.0.2.2 1 2\r\n",
      "PROXY TCP4 2001:db8::1 192.0.2.2 1 2\r\n",
      "PROXY TCP6 192.0.2.1 2001:db8::1 1 2\r\n",
      "PROXY TCP6 [2001:db8::1] 2001:db8::1 1 2\r\n",
      "PROXY TCP6 fe80::1%lo 2001:db8::1 1 2\r\n",
      "PROXY TCP4 192.0.2.1 192.0.2.2 65536 2\r\n",
      "PROXY TCP4 192.0.2.1 192.0.2.2 1 -2\r\n",
      "PROXY TCP4 192.0.2.1 192.0.2.2 +1 2\r\n",
      "PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n",
      "PROXY TCP4 192.0.2.1 192.0.2.2 1 0x2\r\n",
      "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n",
      "PROXY UNKNOWN\n",
      "PROXY TCP4 192.0.2.1\0 192.0.2.2 1 2\r\n"sv,
      "PROXY TCP4 192.0.2.1 192.0.2.2\0x 1 2\r\n"sv,
  };
  for (const std::string_view input : kCases) {
    EXPECT_THAT(replay_proxy(input), StartsWith("bad_proxy_header (")) << input;
  }
}

TEST(ProxyProtocol1, IsNoLongerThanItMayBe) {
  const std::string begin = "PROXY UNKNOWN ";
  EXPECT_EQ(replay_proxy(begin + std::string(105 - begin.size(), 'x') + "\r\n"), "local +");
  EXPECT_EQ(replay_proxy(begin + std::string(106 - begin.size(), 'x')), "need more");
  EXPECT_THAT(replay_proxy(begin + std::string(106 - begin.size(), 'x') + "\r\n"),
              StartsWith("bad_proxy_header ("));
}

/// A version 2 header with the length that it should have.
std::string version2(char version_command, char family, std::string_view payload) {
  std::string text("\r\n\r\n\0\r\nQUIT\n", 12);
  text += version_command;
  text += family;
  text += static_cast<char>(payload.size() >> 8);
  text += static_cast<char>(payload.size() & 0xff);
  return text.append(payload);
}

constexpr std::string_view kIpv4 = "\xc0\x00\x02\x01\xc6\x33\x64\x02\x04\x00\x01\xbb"sv;
constexpr std::string_view kIpv6 =
    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"
    "\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\x02"
    "\xff\xff\x00\x50"sv;

TEST(ProxyProtocol2, UnderstandsAddresses) {
  EXPECT_EQ(replay_proxy(version2(0x21, 0x11, kIpv4) + "GET /"),
            "192.0.2.1.:1024 198.51.100.2.:443 +GET /");
  EXPECT_EQ(replay_proxy(version2(0x21, 0x21, kIpv6)),
            "32.1.13.184.0.0.0.0.0.0.0.0.0.0.0.1.:65535 "
            "254.128.0.0.0.0.0.0.0.0.0.0.0.0.0.2.:80 +");
  const std::string with_tlv = std::string(kIpv4) + std::string("\x04\x00\x02zz", 5);
  EXPECT_EQ(replay_proxy(version2(0x21, 0x11, with_tlv) + "G"),
            "192.0.2.1.:1024 198.51.100.2.:443 +G");
}

TEST(ProxyProtocol2, LocalSaysNothing) {
  EXPECT_EQ(replay_proxy(version2(0x20, 0x00, "") + "G"), "local +G");
  EXPECT_EQ(replay_proxy(version2(0x20, 0x11, kIpv4) + "G"), "local +G");
  EXPECT_EQ(replay_proxy(version2(0x20, 0x11, "x")), "local +");
  EXPECT_EQ(replay_proxy(version2(0x21, 0x00, "xyz")), "local +");
  EXPECT_EQ(replay_proxy(version2(0x21, 0x12, kIpv4)), "local +");
  EXPECT_EQ(replay_proxy(version2(0x21, 0x31, std::string(216, 'u'))), "local +");
}

TEST(ProxyProtocol2, RefusesEverythingElse) {
  EXPECT_THAT(replay_proxy(version2(0x11, 0x11, kIpv4)), StartsWith("bad_proxy_header ("));
  EXPECT_THAT(replay_proxy(version2(0x31, 0x11, kIpv4)), StartsWith("bad_proxy_header ("));
  EXPECT_THAT(replay_proxy(version2(0x22, 0x11, kIpv4)), StartsWith("bad_proxy_header ("));
  EXPECT_THAT(replay_proxy(version2(0x21, 0x11, kIpv4.substr(1))),
              StartsWith("bad_proxy_header ("));
  EXPECT_THAT(replay_proxy(version2(0x21, 0x21, kIpv6.substr(1))),
              StartsWith("bad_proxy_header ("));
  EXPECT_THAT(replay_proxy(version2(0x21, 0x21, kIpv4)), StartsWith("bad_proxy_header ("));
  EXPECT_THAT(replay_proxy("\r\n\r\n\0\r\nQUIT\r\n"sv), StartsWith("bad_proxy_header ("));
  EXPECT_THAT(replay_proxy("\r\nGET / HTTP/1.1"), StartsWith("bad_proxy_header ("));
}

TEST(ProxyProtocol2, IsNoLongerThanItMayBe) {
  const std::string most = version2(0x20, 0x00, std::string(4096, 'x'));
  EXPECT_EQ(most.size(), kProxyHeaderBytesMax);
  EXPECT_EQ(replay_proxy(most + "G"), "local +G");
  EXPECT_THAT(replay_proxy(version2(0x20, 0x00, std::string(4097, 'x'))),
              StartsWith("bad_proxy_header ("));
}

TEST(ProxyProtocol, NeedsMoreOfAnyBeginning) {
  const std::string input = version2(0x21, 0x11, kIpv4);
  for (size_t size = 1; size < input.size(); ++size) {
    EXPECT_EQ(replay_proxy(input.substr(0, size)), "need more") << size;
  }
  EXPECT_EQ(parse_proxy_header("")->consumed, 0U);
  EXPECT_EQ(replay_proxy("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r"), "need more");
}

}  // namespace
}  // namespace hangu::codec::http1::test
