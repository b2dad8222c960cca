#include "hangu/filter/credentials.h"

#include <algorithm>

#include "hangu/filter/stream.h"
#include "hangu/http/parameters.h"
#include "hangu/http/text.h"

namespace hangu::filter {
namespace {

bool has_scheme(std::string_view value, std::string_view scheme) {
  return value.size() > scheme.size() && value[scheme.size()] == ' ' &&
         http::equals_ignore_case(value.substr(0, scheme.size()), scheme);
}

/// `list` without its "name=value" pieces whose name `goes`.
template <class Goes>
std::string_view without(std::string_view list, const Goes& goes, std::string_view separator,
                         buffer::Arena& arena) {
  char* const begin = arena.allocate(list.size(), 1);
  char* to = begin;
  for (size_t at = 0; at <= list.size();) {
    const size_t end = std::min(list.find(separator.front(), at), list.size());
    std::string_view piece = list.substr(at, end - at);
    piece.remove_prefix(std::min(piece.find_first_not_of(' '), piece.size()));
    if (!piece.empty() && !goes(piece.substr(0, piece.find('=')))) {
      to = to == begin ? to : std::copy(separator.begin(), separator.end(), to);
      to = std::copy(piece.begin(), piece.end(), to);
    }
    at = end + 1;
  }
  return {begin, static_cast<size_t>(to - begin)};
}

void strip_query_parameter(Stream& stream, std::string_view name) noexcept {
  http::RequestHead& request = stream.request;
  const auto goes = [name](std::string_view one) { return one == name; };
  request.query = without(request.query, goes, "&", stream.arena());
  request.has_query = !request.query.empty();
  // The target as it was received must not reach the upstream any more.
  const std::string_view path = request.target.substr(0, request.target.find('?'));
  request.target = stream.arena().concat({path, request.has_query ? "?" : "", request.query});
}

template <class Goes>
void strip_cookies_if(Stream& stream, const Goes& goes) noexcept {
  http::HeaderBlock& headers = stream.request.headers;
  std::string_view left;
  for (const http::Header& field : headers) {
    if (field.token != http::HeaderName::kCookie) {
      continue;
    }
    const std::string_view kept = without(field.value(), goes, "; ", stream.arena());
    if (left.empty() || kept.empty()) {
      left = left.empty() ? kept : left;
      continue;
    }
    char* const begin = stream.arena().allocate(left.size() + 2 + kept.size(), 1);
    char* to = std::copy(left.begin(), left.end(), begin);
    to = std::copy_n("; ", 2, to);
    std::copy(kept.begin(), kept.end(), to);
    left = {begin, left.size() + 2 + kept.size()};
  }
  headers.remove(http::HeaderName::kCookie);
  if (!left.empty()) {
    static_cast<void>(headers.add(http::HeaderName::kCookie, left));
  }
}

}  // namespace

std::optional<std::string_view> authorization(const Stream& stream,
                                              std::string_view scheme) noexcept {
  return authorization(stream.request.headers, scheme);
}

std::optional<std::string_view> authorization(const http::HeaderBlock& headers,
                                              std::string_view scheme) noexcept {
  const http::Header* found = nullptr;
  if (!headers.contains(http::HeaderName::kAuthorization)) {
    return std::nullopt;
  }
  for (const http::Header& field : headers) {
    if (field.token == http::HeaderName::kAuthorization) {
      if (found != nullptr) {
        return std::nullopt;
      }
      found = &field;
    }
  }
  if (found == nullptr || !has_scheme(found->value(), scheme)) {
    return std::nullopt;
  }
  std::string_view value = found->value();
  value.remove_prefix(scheme.size());
  value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
  return value;
}

void strip_authorization(Stream& stream, std::string_view scheme) noexcept {
  http::HeaderBlock& headers = stream.request.headers;
  for (const http::Header& field : headers) {
    if (field.token == http::HeaderName::kAuthorization && has_scheme(field.value(), scheme)) {
      headers.remove(http::HeaderName::kAuthorization);
      return;
    }
  }
}

std::optional<std::string_view> bearer_token(const Stream& stream,
                                             const std::vector<std::string>& cookies,
                                             const std::vector<std::string>& query) noexcept {
  if (const auto token = authorization(stream, "Bearer")) {
    return token;
  }
  for (const std::string& name : cookies) {
    if (const auto token = http::cookie(stream.request.headers, name)) {
      return token;
    }
  }
  for (const std::string& name : query) {
    if (const auto token = http::query_parameter(stream.request.query, name)) {
      return token;
    }
  }
  return std::nullopt;
}

void strip_bearer_token(Stream& stream, const std::vector<std::string>& cookies,
                        const std::vector<std::string>& query) noexcept {
  strip_authorization(stream, "Bearer");
  strip_cookies(stream, cookies);
  strip_query_parameters(stream, query);
}

void strip_query_parameters(Stream& stream, const std::vector<std::string>& names) noexcept {
  for (const std::string& name : names) {
    if (http::query_parameter(stream.request.query, name)) {
      strip_query_parameter(stream, name);
    }
  }
}

void strip_cookies(Stream& stream, const std::vector<std::string>& names) noexcept {
  for (const std::string& name : names) {
    if (http::cookie(stream.request.headers, name)) {
      strip_cookies_if(stream, [&name](std::string_view one) { return one == name; });
    }
  }
}

void strip_cookie_family(Stream& stream, std::string_view name) noexcept {
  const auto is_one = [name](std::string_view one) {
    constexpr std::string_view kHostPrefix = "__Host-";
    if (one.starts_with(kHostPrefix)) {
      one.remove_prefix(kHostPrefix.size());
    }
    return one.starts_with(name) && (one.size() == name.size() || one[name.size()] == '.');
  };
  if (!stream.request.headers.contains(http::HeaderName::kCookie)) {
    return;
  }
  bool any = false;
  for (const http::Header& field : stream.request.headers) {
    any = any || (field.token == http::HeaderName::kCookie &&
                  field.value().find(name) != std::string_view::npos);
  }
  if (any) {
    strip_cookies_if(stream, is_one);
  }
}

}  // namespace hangu::filter
