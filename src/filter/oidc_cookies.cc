#include "hangu/filter/oidc_cookies.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "hangu/filter/stream.h"
#include "hangu/http/parameters.h"
#include "hangu/identity/oidc_session.h"

namespace hangu::filter {
namespace {

using http::HeaderName;

constexpr std::string_view kHostPrefix = "__Host-";
constexpr std::string_view kLoginSuffix = ".login.";
constexpr std::string_view kLoginAge = "; Max-Age=600";
constexpr std::string_view kGone = "; Max-Age=0";
constexpr std::array<std::string_view, identity::kCookiesMax> kPieceSuffixes = {"", ".1", ".2",
                                                                                ".3"};

}  // namespace

bool is_https(const Stream& stream) noexcept {
  return stream.request.headers.value(HeaderName::kXForwardedProto) == "https" ||
         !stream.info.tls_protocol.empty();
}

bool OidcCookies::is_secure(const Stream& stream) const noexcept {
  return secure_ || is_https(stream);
}

std::string_view OidcCookies::full_name(Stream& stream, std::string_view suffix) const noexcept {
  const bool prefixed = is_secure(stream);
  return prefixed || !suffix.empty()
             ? stream.arena().concat({prefixed ? kHostPrefix : "", name_, suffix})
             : std::string_view(name_);
}

std::string_view OidcCookies::piece(Stream& stream, size_t number) const noexcept {
  return http::cookie(stream.request.headers, full_name(stream, kPieceSuffixes[number]))
      .value_or(std::string_view{});
}

std::string_view OidcCookies::session(Stream& stream) const noexcept {
  if (!stream.request.headers.contains(HeaderName::kCookie)) {
    return {};
  }
  const auto first = identity::read_first_cookie(piece(stream, 0));
  if (!first || first->count == 1) {
    return first ? first->piece : std::string_view{};
  }
  // What is looked up and opened has to be in one piece: a copy of 14 KiB at most, for sessions
  // that no single cookie can hold.
  std::array<std::string_view, identity::kCookiesMax> pieces = {first->piece};
  for (size_t i = 1; i < first->count; ++i) {
    pieces[i] = piece(stream, i);
    if (pieces[i].empty()) {
      return {};
    }
  }
  return stream.arena().concat({pieces[0], pieces[1], pieces[2], pieces[3]});
}

std::string_view OidcCookies::login(Stream& stream, std::string_view state) const noexcept {
  const std::string_view suffix = stream.arena().concat({kLoginSuffix, state});
  return http::cookie(stream.request.headers, full_name(stream, suffix))
      .value_or(std::string_view{});
}

size_t OidcCookies::logins(Stream& stream, std::span<Login> out) const noexcept {
  const std::string_view prefix = full_name(stream, kLoginSuffix);
  size_t count = 0;
  for (const http::Header& field : stream.request.headers) {
    if (field.token != HeaderName::kCookie) {
      continue;
    }
    std::string_view list = field.value();
    while (!list.empty() && count < out.size()) {
      const size_t end = std::min(list.find(';'), list.size());
      std::string_view pair = list.substr(0, end);
      list.remove_prefix(std::min(end + 1, list.size()));
      pair.remove_prefix(std::min(pair.find_first_not_of(' '), pair.size()));
      const size_t equals = pair.find('=');
      if (equals != std::string_view::npos && pair.starts_with(prefix)) {
        out[count++] = {.state = pair.substr(prefix.size(), equals - prefix.size()),
                        .value = pair.substr(equals + 1)};
      }
    }
  }
  return count;
}

/// Lax: the way back from the provider is a navigation from another site.
bool OidcCookies::write_session(Stream& stream, std::string_view sealed, SetCookies& out) const {
  const std::vector<std::string> values = identity::split_over_cookies(sealed);
  const std::string_view secure = is_secure(stream) ? "; Secure" : "";
  for (size_t i = 0; i < values.size(); ++i) {
    out.add(stream.arena().concat({full_name(stream, kPieceSuffixes[i]), "=", values[i],
                                   "; Path=/; HttpOnly; SameSite=Lax", secure}));
  }
  for (size_t i = values.size(); i < kPieceSuffixes.size() && !values.empty(); ++i) {
    if (!piece(stream, i).empty()) {
      clear(stream, kPieceSuffixes[i], out);
    }
  }
  return !values.empty();
}

void OidcCookies::write_login(Stream& stream, std::string_view state, std::string_view sealed,
                              SetCookies& out) const {
  const std::string_view suffix = stream.arena().concat({kLoginSuffix, state});
  out.add(stream.arena().concat({full_name(stream, suffix), "=", sealed,
                                 "; Path=/; HttpOnly; SameSite=Lax",
                                 is_secure(stream) ? "; Secure" : "", kLoginAge}));
}

void OidcCookies::clear(Stream& stream, std::string_view suffix, SetCookies& out) const {
  out.add(stream.arena().concat({full_name(stream, suffix), "=; Path=/; HttpOnly; SameSite=Lax",
                                 is_secure(stream) ? "; Secure" : "", kGone}));
}

void OidcCookies::clear_session(Stream& stream, SetCookies& out) const {
  for (size_t i = 0; i < kPieceSuffixes.size(); ++i) {
    if (http::cookie(stream.request.headers, full_name(stream, kPieceSuffixes[i]))) {
      clear(stream, kPieceSuffixes[i], out);
    }
  }
}

void OidcCookies::clear_login(Stream& stream, std::string_view state, SetCookies& out) const {
  clear(stream, stream.arena().concat({kLoginSuffix, state}), out);
}

}  // namespace hangu::filter
