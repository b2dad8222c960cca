#include "hangu/policy/ip.h"

#include <arpa/inet.h>

#include <algorithm>

namespace hangu::policy {
namespace {

constexpr size_t kMappedBytes = 12;  // ::ffff: before the four bytes of an IPv4 address

}  // namespace

std::optional<IpBytes> parse_ip(std::string_view text) noexcept {
  char copy[INET6_ADDRSTRLEN];
  // inet_pton would stop at a zero byte and take what is before it.
  if (text.empty() || text.size() >= sizeof copy || text.find('\0') != std::string_view::npos) {
    return std::nullopt;
  }
  std::copy_n(text.data(), text.size(), copy);
  copy[text.size()] = '\0';
  IpBytes bytes{};
  if (text.find(':') == std::string_view::npos) {
    bytes[10] = bytes[11] = 0xff;
    return inet_pton(AF_INET, copy, bytes.data() + kMappedBytes) == 1 ? std::optional(bytes)
                                                                      : std::nullopt;
  }
  return inet_pton(AF_INET6, copy, bytes.data()) == 1 ? std::optional(bytes) : std::nullopt;
}

bool is_ipv4(const IpBytes& bytes) noexcept {
  constexpr IpBytes kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return std::equal(bytes.begin(), bytes.begin() + kMappedBytes, kMapped.begin());
}

IpBytes network_of(const IpBytes& bytes, uint32_t bits) noexcept {
  IpBytes network{};
  const size_t whole = std::min<size_t>(bits / 8, bytes.size());
  std::copy_n(bytes.begin(), whole, network.begin());
  if (whole < bytes.size() && bits % 8 != 0) {
    network[whole] = static_cast<uint8_t>(bytes[whole] & (0xff << (8 - bits % 8)));
  }
  return network;
}

}  // namespace hangu::policy
