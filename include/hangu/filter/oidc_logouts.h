// OidcLogouts: whose sessions the provider of one authenticator has ended, for all shards. Lives on
// over config generations, not over the process. No locks.
#pragma once

#include <cstdint>
#include <string_view>

#include "hangu/identity/recent_cache.h"
#include "hangu/policy/logout_table.h"
#include "hangu/policy/replay_table.h"

namespace hangu::filter {

class OidcLogouts {
 public:
  /// What a session is known by.
  struct Keys {
    uint64_t subject = 0;
    uint64_t session = 0;
    bool has_sid = false;
  };

  enum class Outcome : uint8_t { kEnded, kReplay, kFull };

  OidcLogouts(size_t entries_max, int64_t now_s, uint64_t seed)
      : table_(entries_max, now_s),
        tokens_(entries_max, now_s),
        hash_{.seed = seed} {}

  /// `sid` may be empty.
  Keys keys_of(std::string_view subject, std::string_view sid) const;

  bool ended(const Keys& keys, int64_t begun_s) const noexcept {
    // A `sid` is of one session: whenever this one began, by whichever clock, it is that one.
    return table_.ended(keys.session, keys.has_sid ? 0 : begun_s) ||
           table_.ended(keys.subject, begun_s);
  }

  /// What a logout token says.
  struct End {
    std::string_view subject;  // one of these two may be empty
    std::string_view sid;
    std::string_view token;  // its number
    int64_t token_until_s = 0;
    int64_t keep_s = 0;  // how long sessions last
  };

  Outcome end(const End& what, int64_t now_s) noexcept;

 private:
  uint64_t key(char kind, std::string_view text) const;

  policy::LogoutTable table_;
  policy::ReplayTable tokens_;  // that were used
  identity::TextKeys hash_;     // random: nobody can choose who shares a place
};

}  // namespace hangu::filter
