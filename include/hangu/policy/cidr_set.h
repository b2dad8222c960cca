// CidrSet: networks that are trusted, or not; a few or millions. Made from the config off the
// shards, immutable, any thread; asked without allocating.
//
// Networks within others are left out, so that an address is in one of those left or in none. IPv4
// takes about 6 bytes a network, IPv6 10 or, beyond /64, up to 22 (see NetworkTable).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "hangu/config/config.h"
#include "hangu/policy/ip.h"
#include "hangu/policy/network_table.h"

namespace hangu::policy {

class CidrSet {
 public:
  CidrSet() = default;
  /// The loader has checked the networks.
  explicit CidrSet(const std::vector<config::Cidr>& networks);
  explicit CidrSet(std::vector<config::Network> networks);

  bool empty() const { return size_ == 0; }

  /// Networks that were given.
  size_t size() const { return size_; }

  /// Of memory, for those kept.
  size_t bytes() const;

  /// `ip`: "192.0.2.1" or "2001:db8::1"; anything else is in no set. An IPv4 address mapped into
  /// IPv6 is taken as IPv4. "::/0" takes every IPv6 address, and says nothing about IPv4.
  bool contains(std::string_view ip) const noexcept;
  bool contains(const IpBytes& ip) const noexcept;

 private:
  size_t size_ = 0;

  /// How many of the entries before those of a word of 64 are marked, and which of its own.
  struct Marks {
    uint64_t word = 0;
    uint32_t before = 0;
  };

  bool contains_beyond(size_t place, const IpBytes& ip) const noexcept;

  NetworkTable<uint32_t> ipv4_;
  NetworkTable<uint64_t> ipv6_;  // by the upper half; kGroup bits: some of it, see groups_
  std::vector<Marks> marks_;     // of ipv6_: which entries are such groups
  // Networks beyond /64 that have the upper half in common:
  std::vector<uint32_t> groups_;  // for each group, and the end: where in lower halves
  std::vector<uint64_t> lower_;   // the lower halves of a group, in order
  std::vector<uint8_t> lower_bits_;
};

}  // namespace hangu::policy
