#include "hangu/policy/cidr_set.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>

#include "hangu/base/assert.h"

namespace hangu::policy {
namespace {

using Bytes = std::array<uint8_t, 16>;

constexpr size_t kMappedBytes = 12;  // ::ffff: before the four bytes of an IPv4 address
constexpr uint8_t kMappedBits = 96;

bool is_ipv4_text(std::string_view ip) {
  return ip.find(':') == std::string_view::npos;
}

std::optional<Bytes> parse_ip(std::string_view ip) noexcept {
  char text[INET6_ADDRSTRLEN];
  // inet_pton would stop at a zero byte and take what is before it.
  if (ip.empty() || ip.size() >= sizeof text || ip.find('\0') != std::string_view::npos) {
    return std::nullopt;
  }
  std::copy_n(ip.data(), ip.size(), text);
  text[ip.size()] = '\0';
  Bytes bytes{};
  if (is_ipv4_text(ip)) {
    bytes[10] = bytes[11] = 0xff;
    return inet_pton(AF_INET, text, bytes.data() + kMappedBytes) == 1 ? std::optional(bytes)
                                                                      : std::nullopt;
  }
  return inet_pton(AF_INET6, text, bytes.data()) == 1 ? std::optional(bytes) : std::nullopt;
}

bool is_mapped(const Bytes& bytes) noexcept {
  constexpr Bytes kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return std::memcmp(bytes.data(), kMapped.data(), kMappedBytes) == 0;
}

bool same_bits(const Bytes& a, const Bytes& b, uint8_t bits) noexcept {
  const size_t whole = bits / 8;
  if (std::memcmp(a.data(), b.data(), whole) != 0) {
    return false;
  }
  const unsigned rest = bits % 8;
  return rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

}  // namespace

CidrSet::CidrSet(const std::vector<config::Cidr>& networks) {
  for (const config::Cidr& network : networks) {
    const std::string_view text = network.text;
    const size_t slash = text.find('/');
    const std::string_view ip = text.substr(0, slash);
    const auto bytes = parse_ip(ip);
    HANGU_ASSERT(bytes.has_value());
    unsigned bits = is_ipv4_text(ip) ? 32 : 128;
    if (slash != std::string_view::npos) {
      const std::string_view length = text.substr(slash + 1);
      std::from_chars(length.data(), length.data() + length.size(), bits);
    }
    const unsigned offset = is_ipv4_text(ip) ? kMappedBits : 0U;
    HANGU_ASSERT(bits + offset <= 128);
    networks_.push_back({.bytes = *bytes, .bits = static_cast<uint8_t>(bits + offset)});
  }
}

bool CidrSet::contains(std::string_view ip) const noexcept {
  if (networks_.empty()) {
    return false;
  }
  const auto bytes = parse_ip(ip);
  if (!bytes) {
    return false;
  }
  // "::/0" trusts every IPv6 address, and says nothing about IPv4.
  const uint8_t bits_min = is_mapped(*bytes) ? kMappedBits : 0;
  for (const Network& network : networks_) {
    if (network.bits >= bits_min && same_bits(network.bytes, *bytes, network.bits)) {
      return true;
    }
  }
  return false;
}

}  // namespace hangu::policy
