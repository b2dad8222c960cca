#include "hangu/http/host.h"

#include <arpa/inet.h>

#include <array>

#include "hangu/base/parse.h"
#include "hangu/http/text.h"

namespace hangu::http {
namespace {

constexpr size_t kHostBytesMax = 255;
constexpr size_t kLabelBytesMax = 63;

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_number(std::string_view text) {
  for (const char c : text) {
    if (!is_digit(c)) {
      return false;
    }
  }
  return !text.empty();
}

/// Labels of letters, digits, '-' and '_', none empty.
bool is_name(std::string_view host) {
  size_t label = 0;
  for (size_t i = 0; i < host.size(); ++i) {
    const char c = host[i];
    if (c == '.') {
      if (i == label) {
        return false;
      }
      label = i + 1;
    } else if ((!is_alnum(c) && c != '-' && c != '_') || i - label >= kLabelBytesMax) {
      return false;
    }
  }
  return label < host.size();
}

/// A name, or an IPv4 address when it ends in a number.
bool is_name_or_ipv4(std::string_view host) {
  if (host.size() > kHostBytesMax || !is_name(host)) {
    return false;
  }
  if (!is_digit(host.back())) {
    return true;
  }
  const size_t dot = host.rfind('.');
  const std::string_view last = dot == std::string_view::npos ? host : host.substr(dot + 1);
  return !is_number(last) || is_ipv4(host);
}

bool parse_port(std::string_view text, uint16_t& port) {
  const auto number = text.size() <= 5 ? parse_decimal(text, UINT16_MAX) : std::nullopt;
  port = static_cast<uint16_t>(number.value_or(0));
  return port != 0;
}

std::optional<Authority> parse_bracketed(std::string_view text) {
  const size_t close = text.find(']');
  if (close == std::string_view::npos || !is_ipv6(text.substr(1, close - 1))) {
    return std::nullopt;
  }
  Authority authority{.host = text.substr(0, close + 1)};
  const std::string_view rest = text.substr(close + 1);
  if (!rest.empty() && (rest.front() != ':' || !parse_port(rest.substr(1), authority.port))) {
    return std::nullopt;
  }
  return authority;
}

}  // namespace

std::optional<Authority> parse_authority(std::string_view text) noexcept {
  if (text.empty()) {
    return std::nullopt;
  }
  if (text.front() == '[') {
    return parse_bracketed(text);
  }
  Authority authority{.host = text};
  const size_t colon = text.find(':');
  if (colon != std::string_view::npos) {
    authority.host = text.substr(0, colon);
    if (!parse_port(text.substr(colon + 1), authority.port)) {
      return std::nullopt;
    }
  }
  if (authority.host.size() > 1 && authority.host.back() == '.') {
    authority.host.remove_suffix(1);
  }
  if (authority.host.empty() || !is_name_or_ipv4(authority.host)) {
    return std::nullopt;
  }
  return authority;
}

bool is_ipv4(std::string_view text) noexcept {
  int parts = 0;
  while (true) {
    const size_t dot = text.find('.');
    const std::string_view part = text.substr(0, dot);
    if (++parts > 4 || part.size() > 3 || !parse_decimal(part, 255) ||
        (part.size() > 1 && part.front() == '0')) {
      return false;
    }
    if (dot == std::string_view::npos) {
      return parts == 4;
    }
    text.remove_prefix(dot + 1);
  }
}

bool is_ipv6(std::string_view text) noexcept {
  std::array<char, INET6_ADDRSTRLEN> terminated{};
  if (text.size() < 2 || text.size() >= terminated.size()) {
    return false;
  }
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\0') {
      return false;
    }
    terminated[i] = text[i];
  }
  in6_addr address;
  return inet_pton(AF_INET6, terminated.data(), &address) == 1;
}

}  // namespace hangu::http
