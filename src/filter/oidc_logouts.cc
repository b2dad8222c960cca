#include "hangu/filter/oidc_logouts.h"

#include <algorithm>
#include <array>

namespace hangu::filter {
namespace {

using identity::Digest;
using identity::LogoutEntry;

// What a digest is of: all sessions of somebody, one session, all of somebody's that have no `sid`.
constexpr char kSubject = 's';
constexpr char kSession = 'i';
constexpr char kNameless = 'n';
constexpr char kToken = 't';

std::string_view bytes_of(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

/// For another place of it.
uint64_t second_key_of(const Digest& token) {
  return identity::DigestHash()(token);
}

}  // namespace

Digest OidcLogouts::scope_of(std::string_view authenticator, const config::OidcAuth& config) {
  const std::array<std::string_view, 3> parts = {"hangu logouts", config.id_token.issuer,
                                                 authenticator};
  Digest digest{};
  static_cast<void>(identity::compute_digest(parts, digest));
  return digest;
}

Digest OidcLogouts::digest_of(char kind, std::string_view text) const {
  const std::array<std::string_view, 3> parts = {bytes_of(options_.scope),
                                                 std::string_view(&kind, 1), text};
  Digest digest{};
  static_cast<void>(identity::compute_digest(parts, digest));
  return digest;
}

uint64_t OidcLogouts::key_of(const Digest& digest) const {
  return hash_.hash_of(bytes_of(digest));
}

OidcLogouts::Keys OidcLogouts::keys_of(std::string_view subject, std::string_view sid) const {
  return {.subject = key_of(digest_of(kSubject, subject)),
          .session = key_of(sid.empty() ? digest_of(kNameless, subject) : digest_of(kSession, sid)),
          .has_sid = !sid.empty()};
}

policy::ReplayTable::Outcome OidcLogouts::use(const Digest& token, int64_t until_s, int64_t now_s) {
  return tokens_.use(key_of(token), second_key_of(token), until_s, now_s);
}

/// A `sid` means that session alone, and those of which nobody knows which they are.
OidcLogouts::Outcome OidcLogouts::end(const End& what, int64_t now_s) noexcept {
  std::array<LogoutEntry, 3> entries;
  size_t count = 0;
  const auto add = [&](LogoutEntry::Kind kind, const Digest& digest, int64_t until_s) {
    entries[count++] = {
        .kind = kind, .scope = options_.scope, .digest = digest, .at_s = now_s, .until_s = until_s};
  };
  const Digest token = digest_of(kToken, what.token);
  const int64_t token_until_s = std::min(what.token_until_s, now_s + identity::kLogoutKeptMaxS);
  switch (use(token, token_until_s, now_s)) {
    case policy::ReplayTable::Outcome::kFirst: break;
    case policy::ReplayTable::Outcome::kReplay: return Outcome::kReplay;
    case policy::ReplayTable::Outcome::kFull: return Outcome::kFull;
  }
  add(LogoutEntry::Kind::kToken, token, token_until_s);
  const int64_t until_s = now_s + what.keep_s;
  if (what.sid.empty()) {
    add(LogoutEntry::Kind::kSessions, digest_of(kSubject, what.subject), until_s);
  } else {
    add(LogoutEntry::Kind::kSessions, digest_of(kSession, what.sid), until_s);
    if (!what.subject.empty()) {
      add(LogoutEntry::Kind::kSessions, digest_of(kNameless, what.subject), until_s);
    }
  }
  for (size_t i = 1; i < count; ++i) {
    if (!table_.end(key_of(entries[i].digest), now_s, what.keep_s)) {
      tokens_.give_back(key_of(token), second_key_of(token));  // the provider may try again
      return Outcome::kFull;
    }
  }
  if (options_.listener != nullptr) {
    options_.listener->on_ended({entries.data(), count});
  }
  return Outcome::kEnded;
}

bool OidcLogouts::take(const LogoutEntry& entry, int64_t now_s) noexcept {
  if (entry.until_s < now_s) {
    return true;
  }
  return entry.kind == LogoutEntry::Kind::kToken
             ? use(entry.digest, entry.until_s, now_s) != policy::ReplayTable::Outcome::kFull
             : table_.end(key_of(entry.digest), entry.at_s, entry.until_s - entry.at_s);
}

}  // namespace hangu::filter
