// CidrSet: networks that are trusted, or not. Made from the config, immutable, any thread; asked
// with the address as text, without allocating.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "hangu/config/config.h"

namespace hangu::policy {

class CidrSet {
 public:
  CidrSet() = default;
  /// The loader has checked the networks.
  explicit CidrSet(const std::vector<config::Cidr>& networks);

  bool empty() const { return networks_.empty(); }

  /// `ip`: "192.0.2.1" or "2001:db8::1"; anything else is in no set. An IPv4 address mapped into
  /// IPv6 is taken as IPv4.
  bool contains(std::string_view ip) const noexcept;

 private:
  struct Network {
    std::array<uint8_t, 16> bytes;  // IPv4 as ::ffff:a.b.c.d
    uint8_t bits;                   // of the 128
  };

  std::vector<Network> networks_;
};

}  // namespace hangu::policy
