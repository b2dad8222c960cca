// Address: where a socket is bound or connected: IPv4, IPv6 or a Unix path; IpPrefix: a network.
// Both are values. IPv4 addresses mapped into IPv6 are turned into IPv4, so that equal peers
// compare equal.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hangu::net {

class Address {
 public:
  /// No address: family AF_UNSPEC.
  Address();

  /// "192.0.2.1:80", "[2001:db8::1]:80", "[::]:0" or "unix:/run/app.sock"; numbers only, no names.
  static std::optional<Address> parse(std::string_view text);
  static Address from_sockaddr(const sockaddr* address, socklen_t size);
  /// Of 4 or 16 bytes in network order.
  static Address from_ip(std::string_view bytes, uint16_t port);

  bool is_unix() const { return family() == AF_UNIX; }

  bool is_v6() const { return family() == AF_INET6; }

  int family() const { return storage_.common.sa_family; }

  uint16_t port() const;
  /// The 4 or 16 bytes of the IP address in network order; empty without one.
  std::string_view ip_bytes() const;
  /// With the port, as parse() takes it.
  std::string to_string() const;
  /// Without the port; "unix" for a Unix socket.
  std::string ip_string() const;
  /// The path of a Unix socket.
  std::string_view unix_path() const;

  const sockaddr* data() const { return &storage_.common; }

  socklen_t size() const { return size_; }

  bool operator==(const Address& other) const;

 private:
  union {
    sockaddr common;
    sockaddr_in v4;
    sockaddr_in6 v6;
    sockaddr_un local;
  } storage_;

  socklen_t size_;
};

class IpPrefix {
 public:
  /// "10.0.0.0/8", "2001:db8::/32", or a single address. Bits behind the prefix must be zero.
  static std::optional<IpPrefix> parse(std::string_view text);

  bool contains(const Address& address) const;
  bool operator==(const IpPrefix& other) const = default;

 private:
  std::array<unsigned char, 16> bytes_{};
  uint8_t size_ = 0;  // of the address: 4 or 16 bytes
  uint8_t bits_ = 0;
};

/// The address that `fd` is bound to, or of its peer.
Address local_address(int fd);
Address peer_address(int fd);

}  // namespace hangu::net
