// OidcCookies: where a browser keeps a session and the logins that are under way, and how the
// gateway writes them there. Names and places alone: what the values mean is sealed. Immutable.
//
//   NAME, NAME.1, …       a session, see identity/oidc_session.h
//   NAME.login.STATE      a login, one cookie each, so that tabs do not disturb each other
//
// Over HTTPS every name begins with `__Host-`: no other host can set it.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "hangu/http/header_block.h"

namespace hangu::filter {

class Stream;

/// Values of Set-Cookie fields; the texts lie in a stream's arena.
class SetCookies {
 public:
  static constexpr size_t kCountMax = 24;

  /// One too many is left out.
  void add(std::string_view value) {
    if (count_ < values_.size()) {
      values_[count_++] = value;
    }
  }

  std::span<const std::string_view> values() const { return {values_.data(), count_}; }

  bool empty() const { return count_ == 0; }

 private:
  std::array<std::string_view, kCountMax> values_;
  size_t count_ = 0;
};

/// Whether the client speaks HTTPS, to the gateway or to the trusted proxy before it.
bool is_https(const Stream& stream) noexcept;

class OidcCookies {
 public:
  /// Logins that a browser keeps at once.
  static constexpr size_t kLoginsMax = 8;

  /// `secure`: over HTTPS whatever it looks like from here.
  OidcCookies(std::string name, bool secure)
      : name_(std::move(name)),
        secure_(secure) {}

  /// All pieces of the sealed session; empty: there is none. In the request's own memory if it is
  /// one piece, else copied into the arena.
  std::string_view session(Stream& stream) const noexcept;
  /// Empty: there is none.
  std::string_view login(Stream& stream, std::string_view state) const noexcept;

  struct Login {
    std::string_view state;
    std::string_view value;
  };

  /// The first that the request has; how many these are.
  size_t logins(Stream& stream, std::span<Login> out) const noexcept;

  /// False: it is too large.
  bool write_session(Stream& stream, std::string_view sealed, SetCookies& out) const;
  void write_login(Stream& stream, std::string_view state, std::string_view sealed,
                   SetCookies& out) const;
  void clear_session(Stream& stream, SetCookies& out) const;
  void clear_login(Stream& stream, std::string_view state, SetCookies& out) const;

 private:
  bool is_secure(const Stream& stream) const noexcept;
  std::string_view full_name(Stream& stream, std::string_view suffix) const noexcept;
  std::string_view piece(Stream& stream, size_t number) const noexcept;
  void clear(Stream& stream, std::string_view suffix, SetCookies& out) const;

  std::string name_;
  bool secure_;
};

}  // namespace hangu::filter
