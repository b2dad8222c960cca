// IP addresses as bytes, for comparing networks. Pure functions, without allocating.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace hangu::policy {

/// Of IPv6; an IPv4 address as ::ffff:a.b.c.d.
using IpBytes = std::array<uint8_t, 16>;

/// "192.0.2.1" or "2001:db8::1"; nullopt for anything else.
std::optional<IpBytes> parse_ip(std::string_view text) noexcept;

bool is_ipv4(const IpBytes& bytes) noexcept;

/// The first `bits` of the 128; the others 0.
IpBytes network_of(const IpBytes& bytes, uint32_t bits) noexcept;

}  // namespace hangu::policy
