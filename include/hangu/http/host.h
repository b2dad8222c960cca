// Host names and addresses as HTTP writes them (RFC 3986 §3.2.2, stricter: what DNS and IP can
// name). Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace hangu::http {

struct Authority {
  std::string_view host;  // "[2001:db8::1]" with its brackets; without a trailing dot
  uint16_t port = 0;      // 0: none given
};

/// "host", "host:port", "192.0.2.1:80" or "[2001:db8::1]:80". Nullopt for anything else: userinfo,
/// an empty host or label, a bad port, a name that ends in a number but is no IPv4 address. Upper
/// case is accepted; the views are of `text` as it is.
std::optional<Authority> parse_authority(std::string_view text) noexcept;

/// Dotted decimal, four parts, no leading zeros.
bool is_ipv4(std::string_view text) noexcept;

/// Without brackets and zone.
bool is_ipv6(std::string_view text) noexcept;

}  // namespace hangu::http
