#include "hangu/filter/oidc_logouts.h"

#include <string>

namespace hangu::filter {
namespace {

// What a key is of: all sessions of somebody, one session, all of somebody's that have no `sid`.
constexpr char kSubject = 's';
constexpr char kSession = 'i';
constexpr char kNameless = 'n';
constexpr char kToken = 't';
constexpr char kTokenAgain = 'u';  // for another place of it

}  // namespace

uint64_t OidcLogouts::key(char kind, std::string_view text) const {
  return hash_.hash_of(std::string(1, kind).append(text));
}

OidcLogouts::Keys OidcLogouts::keys_of(std::string_view subject, std::string_view sid) const {
  return {.subject = key(kSubject, subject),
          .session = sid.empty() ? key(kNameless, subject) : key(kSession, sid),
          .has_sid = !sid.empty()};
}

/// A `sid` means that session alone, and those of which nobody knows which they are.
OidcLogouts::Outcome OidcLogouts::end(const End& what, int64_t now_s) noexcept {
  const uint64_t token = key(kToken, what.token);
  switch (tokens_.use(token, key(kTokenAgain, what.token), what.token_until_s, now_s)) {
    case policy::ReplayTable::Outcome::kFirst: break;
    case policy::ReplayTable::Outcome::kReplay: return Outcome::kReplay;
    case policy::ReplayTable::Outcome::kFull: return Outcome::kFull;
  }
  bool done = true;
  if (what.sid.empty()) {
    done = table_.end(key(kSubject, what.subject), now_s, what.keep_s);
  } else {
    done = table_.end(key(kSession, what.sid), now_s, what.keep_s);
    if (!what.subject.empty()) {
      done = table_.end(key(kNameless, what.subject), now_s, what.keep_s) && done;
    }
  }
  if (!done) {
    tokens_.give_back(token, key(kTokenAgain, what.token));  // the provider may try again
    return Outcome::kFull;
  }
  return Outcome::kEnded;
}

}  // namespace hangu::filter
