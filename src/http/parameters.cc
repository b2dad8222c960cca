#include "hangu/http/parameters.h"

namespace hangu::http {
namespace {

/// Of the first "name=value" in a list separated by `separator`, space before a name ignored.
std::optional<std::string_view> value_in(std::string_view list, std::string_view name,
                                         char separator) noexcept {
  while (!list.empty()) {
    const size_t end = list.find(separator);
    std::string_view pair = list.substr(0, end);
    list = end == std::string_view::npos ? std::string_view{} : list.substr(end + 1);
    pair.remove_prefix(std::min(pair.find_first_not_of(' '), pair.size()));
    const size_t equals = pair.find('=');
    if (pair.substr(0, equals) == name) {
      return equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1);
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string_view> query_parameter(std::string_view query,
                                                std::string_view name) noexcept {
  return value_in(query, name, '&');
}

std::optional<std::string_view> cookie(const HeaderBlock& headers, std::string_view name) noexcept {
  if (!headers.contains(HeaderName::kCookie)) {
    return std::nullopt;
  }
  for (const Header& header : headers) {
    if (header.token != HeaderName::kCookie) {
      continue;
    }
    if (const auto value = value_in(header.value(), name, ';')) {
      return value;
    }
  }
  return std::nullopt;
}

}  // namespace hangu::http
