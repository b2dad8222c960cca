#include "hangu/policy/cidr_set.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <tuple>

#include "hangu/base/assert.h"

namespace hangu::policy {
namespace {

using config::Network;

constexpr uint8_t kMappedBits = 96;  // before the four bytes of an IPv4 address
constexpr uint8_t kHalfBits = 64;
constexpr uint8_t kGroup = kHalfBits + 1;  // stands for networks beyond /64

template <class Number>
Number number_from(const uint8_t* bytes) noexcept {
  Number number = 0;
  for (size_t i = 0; i < sizeof(Number); ++i) {
    number = static_cast<Number>(number << 8 | bytes[i]);
  }
  return number;
}

Network network_from(const config::Cidr& cidr) {
  const std::string_view text = cidr.text;
  const size_t slash = text.find('/');
  const std::string_view ip = text.substr(0, slash);
  const bool is_ipv4_text = ip.find(':') == std::string_view::npos;
  const auto bytes = parse_ip(ip);
  HANGU_ASSERT(bytes.has_value());
  unsigned bits = is_ipv4_text ? 32 : 128;
  if (slash != std::string_view::npos) {
    const std::string_view length = text.substr(slash + 1);
    std::from_chars(length.data(), length.data() + length.size(), bits);
  }
  bits += is_ipv4_text ? kMappedBits : 0U;
  HANGU_ASSERT(bits <= 128);
  return {.bytes = *bytes, .bits = static_cast<uint8_t>(bits)};
}

std::vector<Network> networks_from(const std::vector<config::Cidr>& networks) {
  std::vector<Network> out;
  out.reserve(networks.size());
  std::transform(networks.begin(), networks.end(), std::back_inserter(out), network_from);
  return out;
}

bool is_ipv4_network(const Network& network) {
  return network.bits >= kMappedBits && is_ipv4(network.bytes);
}

/// Sorts, and leaves out what lies within another; an IPv4 network never lies within an IPv6 one.
void keep_outermost(std::vector<Network>& networks) {
  std::sort(networks.begin(), networks.end(), [](const Network& a, const Network& b) {
    return std::tie(a.bytes, a.bits) < std::tie(b.bytes, b.bits);
  });
  size_t kept = 0;
  const Network* around[2] = {nullptr, nullptr};  // the last one kept, of IPv6 and of IPv4
  for (size_t i = 0; i < networks.size(); ++i) {
    const Network network = networks[i];
    const Network*& outer = around[is_ipv4_network(network) ? 1 : 0];
    if (outer == nullptr || network_of(network.bytes, outer->bits) != outer->bytes) {
      networks[kept] = network;
      outer = &networks[kept++];
    }
  }
  networks.resize(kept);
}

}  // namespace

CidrSet::CidrSet(const std::vector<config::Cidr>& networks)
    : CidrSet(networks_from(networks)) {}

CidrSet::CidrSet(std::vector<config::Network> networks)
    : size_(networks.size()) {
  keep_outermost(networks);
  std::vector<uint32_t> ipv4;
  std::vector<uint8_t> ipv4_bits;
  std::vector<uint64_t> upper;
  std::vector<uint8_t> upper_bits;
  for (const Network& network : networks) {
    const auto high = number_from<uint64_t>(network.bytes.data());
    if (is_ipv4_network(network)) {
      ipv4.push_back(number_from<uint32_t>(network.bytes.data() + kMappedBits / 8));
      ipv4_bits.push_back(static_cast<uint8_t>(network.bits - kMappedBits));
    } else if (network.bits <= kHalfBits) {
      upper.push_back(high);
      upper_bits.push_back(network.bits);
    } else {
      if (upper.empty() || upper.back() != high) {
        marks_.resize(upper.size() / 64 + 1, {.before = static_cast<uint32_t>(groups_.size())});
        marks_.back().word |= uint64_t{1} << upper.size() % 64;
        upper.push_back(high);
        upper_bits.push_back(kGroup);
        groups_.push_back(static_cast<uint32_t>(lower_.size()));
      }
      lower_.push_back(number_from<uint64_t>(network.bytes.data() + kHalfBits / 8));
      lower_bits_.push_back(static_cast<uint8_t>(network.bits - kHalfBits));
    }
  }
  groups_.push_back(static_cast<uint32_t>(lower_.size()));
  ipv4_ = NetworkTable<uint32_t>(std::move(ipv4), std::move(ipv4_bits));
  ipv6_ = NetworkTable<uint64_t>(std::move(upper), std::move(upper_bits));
  marks_.shrink_to_fit();
  lower_bits_.shrink_to_fit();
  groups_.shrink_to_fit();
  lower_.shrink_to_fit();
}

size_t CidrSet::bytes() const {
  return ipv4_.bytes() + ipv6_.bytes() + marks_.capacity() * sizeof(Marks) +
         groups_.capacity() * sizeof(uint32_t) + lower_.capacity() * sizeof(uint64_t) +
         lower_bits_.capacity();
}

bool CidrSet::contains(const IpBytes& ip) const noexcept {
  if (is_ipv4(ip)) {
    return ipv4_.contains(number_from<uint32_t>(ip.data() + kMappedBits / 8));
  }
  const size_t place = ipv6_.find(number_from<uint64_t>(ip.data()));
  return place != NetworkTable<uint64_t>::kNone &&
         (ipv6_.bits_of(place) != kGroup || contains_beyond(place, ip));
}

/// Whether the group of that place in ipv6_ has it.
bool CidrSet::contains_beyond(size_t place, const IpBytes& ip) const noexcept {
  const Marks& marks = marks_[place / 64];
  const uint64_t before = marks.word & ((uint64_t{1} << place % 64) - 1);
  const size_t group = marks.before + static_cast<size_t>(std::popcount(before));
  const auto low = number_from<uint64_t>(ip.data() + kHalfBits / 8);
  const auto begin = lower_.begin() + groups_[group];
  const auto behind = std::upper_bound(begin, lower_.begin() + groups_[group + 1], low);
  const auto at = static_cast<size_t>(behind - lower_.begin());
  return behind != begin &&
         NetworkTable<uint64_t>::same_bits(low, lower_[at - 1], lower_bits_[at - 1]);
}

bool CidrSet::contains(std::string_view ip) const noexcept {
  if (empty()) {
    return false;
  }
  const auto bytes = parse_ip(ip);
  return bytes && contains(*bytes);
}

}  // namespace hangu::policy
