// Administrators: who may use the admin API. Without any in the config whoever reaches it may do
// everything, as the permissions of the Unix socket are the lock then. With some, a caller is known
// by the account at the other end of the Unix socket or by the token of a session, which /login
// gives for a password. Control thread; the caller brings the time. Passwords are verified
// elsewhere, since that is slow on purpose. No secret is kept: passwords are forgotten, tokens
// known by their digests.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hangu/base/clock.h"
#include "hangu/base/result.h"
#include "hangu/config/admin.h"
#include "hangu/identity/digest.h"
#include "hangu/policy/lockout_table.h"

namespace hangu::admin {

/// The other end, as far as the connection tells.
struct Peer {
  std::string text;             // for logs: "uid=0 pid=12", "tcp=127.0.0.1:40000"
  std::string place;            // from where wrong passwords count together: "uid=0", "127.0.0.1"
  std::optional<uint32_t> uid;  // of the process at a Unix socket
};

struct Now {
  TimePoint steady{};
  int64_t wall_s = 0;  // Unix time
};

/// Roles as a set of bits; a route says which may use it.
using Roles = uint8_t;

constexpr Roles role_bit(config::AdminRole role) {
  return static_cast<Roles>(1U << static_cast<unsigned>(role));
}

inline constexpr Roles kAnyone = 0;
inline constexpr Roles kSystem = role_bit(config::AdminRole::kSystem);
inline constexpr Roles kSecurity = role_bit(config::AdminRole::kSecurity);
inline constexpr Roles kAudit = role_bit(config::AdminRole::kAudit);
inline constexpr Roles kEverybody = kSystem | kSecurity | kAudit;

std::string_view to_string(config::AdminRole role) noexcept;

struct Caller {
  std::string actor;                      // for the audit log: "li-wei uid=1000 pid=12"
  std::string name;                       // empty: nobody in particular
  std::optional<config::AdminRole> role;  // none: there are no administrators, or it is anyone
};

enum class Refusal : uint8_t {
  kUnknown,    // no administrator: 401
  kForbidden,  // not with that role: 403
  kLocked,     // too many wrong passwords: 429
  kBusy,       // too many sessions or logins at once: 503
};

struct LoginRefusal {
  Refusal kind = Refusal::kUnknown;
  std::string name;       // that was given
  Duration locked_for{};  // of kLocked
};

/// Why a session ended.
enum class SessionEnd : uint8_t { kAsked, kIdle, kAge, kConfig };

std::string_view to_string(SessionEnd end) noexcept;

struct EndedSession {
  std::string name;
  SessionEnd end = SessionEnd::kAsked;
};

class Administrators {
 public:
  static constexpr size_t kSessionsMax = 64;
  static constexpr size_t kLoginsMax = 8;  // that are being verified

  /// The uid of an account of this machine.
  using AccountLookup = std::function<std::optional<uint32_t>(const std::string&)>;

  explicit Administrators(AccountLookup lookup);

  /// Who there is from now on; sessions of those who changed end. Costs nothing when nobody did.
  void follow(const config::Admin& admin);

  bool required() const { return !admin_.administrators.empty(); }

  /// Who asks, if their role is among `roles`; kAnyone: whoever. `authorization`: that field.
  Result<Caller, Refusal> admit(Roles roles, const Peer& peer, std::string_view authorization,
                                Now now);

  struct Login {
    std::string name;
    std::string hash;  // of somebody else when there is no such name: it takes as long
    std::string password;
    uint64_t lock_key = 0;
    bool known = false;
  };

  /// Of `Authorization: Basic`. Then somebody verifies the password, and calls end_login().
  Result<Login, LoginRefusal> begin_login(const Peer& peer, std::string_view authorization,
                                          Now now);
  /// The session's token; `lookup_right`: the password is that of the hash.
  Result<std::string, Refusal> end_login(const Login& login, bool right, Now now);

  /// For how long nobody listens to that name from there; 0: they do.
  Duration locked_for(const Login& login, Now now) const;

  /// Ends the session of that token, if there is one.
  void log_out(std::string_view authorization);

  /// The sessions that have ended since the last call, those that have just run out among them.
  std::vector<EndedSession> take_ended(Now now);

 private:
  struct Session {
    std::string name;
    TimePoint begun{};
    TimePoint used{};
  };

  using Sessions = std::map<identity::Digest, Session>;

  const config::Administrator* find(std::string_view name, Now now) const;
  const config::Administrator* at_socket(const Peer& peer, Now now) const;
  const config::Administrator* of_session(std::string_view authorization, Now now);
  Sessions::iterator session_of(std::string_view authorization);
  Sessions::iterator end(Sessions::iterator session, SessionEnd why);
  void end_expired(Now now);
  policy::LockoutTable::Rules lock_rules() const;

  AccountLookup lookup_;
  config::Admin admin_;
  std::map<std::string, uint32_t, std::less<>> uids_;  // of those with accounts, by their names
  Sessions sessions_;
  std::vector<EndedSession> ended_;
  policy::LockoutTable lockouts_;
  size_t logins_ = 0;
};

/// By the system's database of accounts, which may ask a directory: not for a shard.
std::optional<uint32_t> uid_of_account(const std::string& account);

}  // namespace hangu::admin
