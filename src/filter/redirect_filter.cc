#include "hangu/filter/redirect_filter.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "hangu/filter/stream.h"
#include "hangu/policy/path_rewrite.h"
#include "hangu/policy/path_target.h"

#include "filter/make_path.h"
#include "filter/path_target.h"

namespace hangu::filter {
namespace {

/// Joined in the stream's arena.
template <size_t Count>
std::string_view join(const std::array<std::string_view, Count>& parts, buffer::Arena& arena) {
  size_t size = 0;
  for (const std::string_view part : parts) {
    size += part.size();
  }
  char* const begin = arena.allocate(size, 1);
  char* to = begin;
  for (const std::string_view part : parts) {
    to = std::copy(part.begin(), part.end(), to);
  }
  return {begin, size};
}

}  // namespace

RedirectFilter::RedirectFilter(const config::Route& route)
    : route_(route),
      path_(route.redirect.path, config::capture_names(route.match)),
      substitution_(substitution_of(route.redirect.regex, route.redirect.substitution)) {}

/// Absolute (RFC 9110 §10.2.2): what is not given stays as the client asked.
std::string_view RedirectFilter::location(Stream& stream) const noexcept {
  const config::Redirect& redirect = route_.redirect;
  const http::RequestHead& request = stream.request;
  const std::string_view asked = stream.info.tls_protocol.empty() ? "http" : "https";
  const policy::RedirectAddress to =
      policy::redirect_address(redirect, asked, request.host, request.port);
  char digits[8] = {':'};
  std::string_view port_text;
  if (to.port != 0) {
    const char* const end = std::to_chars(digits + 1, digits + sizeof digits, to.port).ptr;
    port_text = {digits, static_cast<size_t>(end - digits)};
  }
  const policy::PathParts path = policy::rewrite_path(
      route_.match, make_path(path_, stream.info.captures.values, stream.arena()), redirect.prefix,
      request.path);
  if (substitution_) {
    if (const std::string_view target = substituted_target(*substitution_, stream);
        !target.empty()) {
      return join(std::array<std::string_view, 5>{to.scheme, "://", to.host, port_text, target},
                  stream.arena());
    }
  }
  return join(
      std::array<std::string_view, 8>{to.scheme, "://", to.host, port_text, path.head, path.tail,
                                      request.has_query ? "?" : "", request.query},
      stream.arena());
}

FilterStatus RedirectFilter::on_request_headers(Stream& stream) const noexcept {
  const http::ReplyField field{"location", location(stream)};
  stream.send_local_reply({.status = static_cast<int>(route_.redirect.status),
                           .code = "route.redirect",
                           .fields = {&field, 1},
                           .cacheable = true},
                          name());
  return FilterStatus::kContinue;
}

}  // namespace hangu::filter
