#include "hangu/policy/cidr_set.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>

#include "hangu/base/assert.h"
#include "hangu/policy/ip.h"

namespace hangu::policy {
namespace {

using Bytes = IpBytes;

constexpr uint8_t kMappedBits = 96;  // before the four bytes of an IPv4 address

bool is_ipv4_text(std::string_view ip) {
  return ip.find(':') == std::string_view::npos;
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
  const uint8_t bits_min = is_ipv4(*bytes) ? kMappedBits : 0;
  for (const Network& network : networks_) {
    if (network.bits >= bits_min && same_bits(network.bytes, *bytes, network.bits)) {
      return true;
    }
  }
  return false;
}

}  // namespace hangu::policy
