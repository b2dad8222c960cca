// Who the client is behind trusted proxies: X-Forwarded-For read from the right, as far as trust
// goes. Pure; which addresses are trusted is the caller's predicate.
#pragma once

#include <cstddef>
#include <string_view>

#include "hangu/http/header_block.h"
#include "hangu/http/host.h"
#include "hangu/http/text.h"

namespace hangu::http {

/// The address in one element of X-Forwarded-For ("192.0.2.1", "192.0.2.1:80", "2001:db8::1",
/// "[2001:db8::1]", "[2001:db8::1]:80"), without brackets and port; empty for anything else.
std::string_view forwarded_address(std::string_view element) noexcept;

/// Takes the last element off a list of comma-separated elements.
std::string_view take_last_element(std::string_view& list) noexcept;

/// Walks one field value from the right. `client` becomes the last address seen. True when the walk
/// ended (an untrusted address, garbage), false when another value, left of this one, is next.
template <class Trusted>
bool walk_forwarded_for(std::string_view value, const Trusted& trusted, std::string_view& client) {
  while (!value.empty()) {
    const std::string_view address = forwarded_address(take_last_element(value));
    if (address.empty()) {
      return true;
    }
    client = address;
    if (!trusted(address)) {
      return true;
    }
  }
  return false;
}

/// `::ffff:192.0.2.1` is 192.0.2.1: one client has one name, whatever its proxy calls it.
inline std::string_view without_mapping(std::string_view ip) {
  constexpr std::string_view kMapped = "::ffff:";
  const bool mapped = ip.size() > kMapped.size() &&
                      equals_ignore_case(ip.substr(0, kMapped.size()), kMapped) &&
                      is_ipv4(ip.substr(kMapped.size()));
  return mapped ? ip.substr(kMapped.size()) : ip;
}

/// The client's address as the X-Forwarded-For fields tell it: the first from the right that is not
/// trusted, or the leftmost if all are. Garbage ends the walk at what is right of it. Empty: the
/// fields say nothing, the peer itself is the client. `trusted(std::string_view ip) -> bool`. To be
/// asked only when the peer is trusted. The view is of the field.
template <class Trusted>
std::string_view forwarded_client(const HeaderBlock& headers, const Trusted& trusted) {
  constexpr size_t kFieldsMax = 16;
  std::string_view values[kFieldsMax];
  size_t count = 0;
  if (headers.contains(HeaderName::kXForwardedFor)) {
    for (const Header& header : headers) {
      if (header.token == HeaderName::kXForwardedFor) {
        values[count++ % kFieldsMax] = header.value();  // the last ones count
      }
    }
  }
  std::string_view client;
  const size_t oldest = count > kFieldsMax ? count - kFieldsMax : 0;
  while (count > oldest && !walk_forwarded_for(values[--count % kFieldsMax], trusted, client)) {
  }
  return without_mapping(client);
}

}  // namespace hangu::http
