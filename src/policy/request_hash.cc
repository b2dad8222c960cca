#include "hangu/policy/request_hash.h"

#include "hangu/policy/ip.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace hangu::policy {
namespace {

/// Of the bits that count.
uint64_t hash_client(std::string_view ip, const ClientPrefixes& prefixes, uint64_t seed) noexcept {
  const bool ipv4 = ip.find(':') == std::string_view::npos;
  const auto bytes = ipv4 && prefixes.ipv4 == 32 ? std::nullopt : parse_ip(ip);
  if (!bytes) {
    return XXH3_64bits_withSeed(ip.data(), ip.size(), seed);
  }
  constexpr uint32_t kMappedBits = 96;
  const IpBytes network =
      network_of(*bytes, is_ipv4(*bytes) ? kMappedBits + prefixes.ipv4 : prefixes.ipv6);
  return XXH3_64bits_withSeed(network.data(), network.size(), seed);
}

}  // namespace

uint64_t hash_value(config::KeyPart::Kind kind, std::string_view value,
                    const ClientPrefixes& prefixes, uint64_t before) noexcept {
  return kind == config::KeyPart::Kind::kClientIp
             ? hash_client(value, prefixes, before)
             : XXH3_64bits_withSeed(value.data(), value.size(), before);
}

uint64_t hash_missing(uint64_t before) noexcept {
  return XXH3_64bits_withSeed("", 0, ~before);
}

}  // namespace hangu::policy
