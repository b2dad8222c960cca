#include "hangu/net/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include <fmt/format.h>

#include "hangu/base/parse.h"

namespace hangu::net {
namespace {

constexpr std::string_view kUnixPrefix = "unix:";

std::optional<uint16_t> parse_port(std::string_view text) {
  const auto port = parse_decimal(text, 65535);
  return port ? std::optional<uint16_t>(static_cast<uint16_t>(*port)) : std::nullopt;
}

/// inet_ntop() goes through printf, once a connection.
std::string format_ipv4(uint32_t address) {
  char text[INET_ADDRSTRLEN];
  char* end = text;
  for (int shift = 24; shift >= 0; shift -= 8) {
    end = std::to_chars(end, text + sizeof text, (address >> shift) & 0xffU).ptr;
    *end++ = '.';
  }
  return std::string(text, end - 1);
}

}  // namespace

Address::Address()
    : size_(sizeof(sa_family_t)) {
  std::memset(&storage_, 0, sizeof storage_);
  storage_.common.sa_family = AF_UNSPEC;
}

std::optional<Address> Address::parse(std::string_view text) {
  Address address;
  if (text.starts_with(kUnixPrefix)) {
    const std::string_view path = text.substr(kUnixPrefix.size());
    if (path.empty() || path.size() >= sizeof address.storage_.local.sun_path) {
      return std::nullopt;
    }
    address.storage_.local.sun_family = AF_UNIX;
    path.copy(address.storage_.local.sun_path, path.size());
    address.size_ = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
    return address;
  }
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    return std::nullopt;
  }
  const auto port = parse_port(text.substr(colon + 1));
  std::string host(text.substr(0, colon));
  if (!port) {
    return std::nullopt;
  }
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
    if (inet_pton(AF_INET6, host.c_str(), &address.storage_.v6.sin6_addr) != 1) {
      return std::nullopt;
    }
    address.storage_.v6.sin6_family = AF_INET6;
    address.storage_.v6.sin6_port = htons(*port);
    return from_sockaddr(address.data(), sizeof(sockaddr_in6));  // mapped: IPv4
  }
  if (inet_pton(AF_INET, host.c_str(), &address.storage_.v4.sin_addr) != 1) {
    return std::nullopt;
  }
  address.storage_.v4.sin_family = AF_INET;
  address.storage_.v4.sin_port = htons(*port);
  address.size_ = sizeof(sockaddr_in);
  return address;
}

Address Address::from_sockaddr(const sockaddr* address, socklen_t size) {
  Address result;
  if (address->sa_family == AF_INET6 && size >= sizeof(sockaddr_in6)) {
    sockaddr_in6 v6;
    std::memcpy(&v6, address, sizeof v6);
    if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
      const auto* bytes = reinterpret_cast<const char*>(&v6.sin6_addr) + 12;
      return from_ip(std::string_view(bytes, 4), ntohs(v6.sin6_port));
    }
  }
  result.size_ = std::min<socklen_t>(size, sizeof result.storage_);
  std::memcpy(&result.storage_, address, result.size_);
  return result;
}

Address Address::from_ip(std::string_view bytes, uint16_t port) {
  Address result;
  if (bytes.size() == 4) {
    result.storage_.v4.sin_family = AF_INET;
    result.storage_.v4.sin_port = htons(port);
    std::memcpy(&result.storage_.v4.sin_addr, bytes.data(), 4);
    result.size_ = sizeof(sockaddr_in);
  } else if (bytes.size() == 16) {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    std::memcpy(&v6.sin6_addr, bytes.data(), 16);
    return from_sockaddr(reinterpret_cast<const sockaddr*>(&v6), sizeof v6);
  }
  return result;
}

std::string_view Address::ip_bytes() const {
  switch (family()) {
    case AF_INET: return {reinterpret_cast<const char*>(&storage_.v4.sin_addr), 4};
    case AF_INET6: return {reinterpret_cast<const char*>(&storage_.v6.sin6_addr), 16};
    default: return {};
  }
}

uint16_t Address::port() const {
  switch (family()) {
    case AF_INET: return ntohs(storage_.v4.sin_port);
    case AF_INET6: return ntohs(storage_.v6.sin6_port);
    default: return 0;
  }
}

std::string Address::ip_string() const {
  char text[INET6_ADDRSTRLEN] = "";
  switch (family()) {
    case AF_INET: return format_ipv4(ntohl(storage_.v4.sin_addr.s_addr));
    case AF_INET6: inet_ntop(AF_INET6, &storage_.v6.sin6_addr, text, sizeof text); break;
    default: return "unix";
  }
  return text;
}

std::string_view Address::unix_path() const {
  return is_unix() && size_ > offsetof(sockaddr_un, sun_path)
             ? std::string_view(storage_.local.sun_path)
             : std::string_view();
}

std::string Address::to_string() const {
  switch (family()) {
    case AF_INET: return fmt::format("{}:{}", ip_string(), port());
    case AF_INET6: return fmt::format("[{}]:{}", ip_string(), port());
    default: return fmt::format("{}{}", kUnixPrefix, unix_path());
  }
}

bool Address::operator==(const Address& other) const {
  if (family() != other.family() || port() != other.port()) {
    return false;
  }
  switch (family()) {
    case AF_INET: return storage_.v4.sin_addr.s_addr == other.storage_.v4.sin_addr.s_addr;
    case AF_INET6:
      return std::memcmp(&storage_.v6.sin6_addr, &other.storage_.v6.sin6_addr, 16) == 0;
    default: return unix_path() == other.unix_path();
  }
}

std::optional<IpPrefix> IpPrefix::parse(std::string_view text) {
  const size_t slash = text.find('/');
  const std::string host(text.substr(0, slash));
  IpPrefix prefix;
  if (inet_pton(AF_INET, host.c_str(), prefix.bytes_.data()) == 1) {
    prefix.size_ = 4;
  } else if (inet_pton(AF_INET6, host.c_str(), prefix.bytes_.data()) == 1) {
    prefix.size_ = 16;
  } else {
    return std::nullopt;
  }
  prefix.bits_ = static_cast<uint8_t>(prefix.size_ * 8);
  if (slash != std::string_view::npos) {
    const auto bits = parse_decimal(text.substr(slash + 1), prefix.bits_);
    if (!bits) {
      return std::nullopt;
    }
    prefix.bits_ = static_cast<uint8_t>(*bits);
  }
  for (int bit = prefix.bits_; bit < prefix.size_ * 8; ++bit) {
    if ((prefix.bytes_[static_cast<size_t>(bit) / 8] & (0x80 >> (bit % 8))) != 0) {
      return std::nullopt;
    }
  }
  return prefix;
}

bool IpPrefix::contains(const Address& address) const {
  const std::string_view bytes = address.ip_bytes();
  const size_t whole = bits_ / 8;
  if (bytes.size() != size_ || std::memcmp(bytes.data(), bytes_.data(), whole) != 0) {
    return false;
  }
  const int rest = bits_ % 8;
  const auto byte = rest == 0 ? 0 : static_cast<unsigned char>(bytes[whole]);
  return rest == 0 || ((byte ^ bytes_[whole]) >> (8 - rest)) == 0;
}

Address local_address(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) {
    return {};
  }
  return Address::from_sockaddr(reinterpret_cast<sockaddr*>(&storage), size);
}

Address peer_address(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) {
    return {};
  }
  return Address::from_sockaddr(reinterpret_cast<sockaddr*>(&storage), size);
}

}  // namespace hangu::net
