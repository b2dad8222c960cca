// OidcLogouts: whose sessions the provider of one authenticator has ended, for all shards. Lives on
// over config generations; what is to outlive it, a listener hears. No locks of its own.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "hangu/config/identity.h"
#include "hangu/identity/logout_entry.h"
#include "hangu/identity/recent_cache.h"
#include "hangu/policy/logout_table.h"
#include "hangu/policy/replay_table.h"

namespace hangu::filter {

/// Hears what was ended, on the shard's thread: must not wait.
class LogoutListener {
 public:
  virtual void on_ended(std::span<const identity::LogoutEntry> entries) noexcept = 0;

 protected:
  ~LogoutListener() = default;
};

class OidcLogouts {
 public:
  /// What a session is known by.
  struct Keys {
    uint64_t subject = 0;
    uint64_t session = 0;
    bool has_sid = false;
  };

  enum class Outcome : uint8_t { kEnded, kReplay, kFull };

  struct Options {
    size_t entries_max = 0;
    int64_t now_s = 0;
    uint64_t seed = 0;  // random: nobody can choose who shares a place
    identity::Digest scope{};
    LogoutListener* listener = nullptr;  // outlives it; may be none
  };

  explicit OidcLogouts(const Options& options)
      : options_(options),
        table_(options.entries_max, 0),
        tokens_(options.entries_max, options.now_s),
        hash_{.seed = options.seed} {}

  /// The same on every node with that authenticator.
  static identity::Digest scope_of(std::string_view authenticator, const config::OidcAuth& config);

  const identity::Digest& scope() const { return options_.scope; }

  /// `sid` may be empty. Of another object with the same seed, the same ones.
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

  /// What another object has heard, of the same scope. False: there is no room.
  bool take(const identity::LogoutEntry& entry, int64_t now_s) noexcept;

 private:
  identity::Digest digest_of(char kind, std::string_view text) const;
  uint64_t key_of(const identity::Digest& digest) const;
  policy::ReplayTable::Outcome use(const identity::Digest& token, int64_t until_s, int64_t now_s);

  Options options_;
  policy::LogoutTable table_;
  policy::ReplayTable tokens_;  // that were used
  identity::TextKeys hash_;
};

}  // namespace hangu::filter
