#include "hangu/admin/administrators.h"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "hangu/base/base64.h"
#include "hangu/http/text.h"
#include "hangu/identity/password_hash.h"

namespace hangu::admin {
namespace {

using config::Administrator;
using config::AdminRole;

constexpr size_t kLockoutPlaces = 1024;
constexpr size_t kCredentialBytesMax = 1024;
constexpr size_t kNameBytesMax = 64;

/// What follows the scheme; nullopt: it is another one.
std::optional<std::string_view> credential(std::string_view authorization,
                                           std::string_view scheme) {
  const bool has = authorization.size() > scheme.size() + 1 &&
                   authorization.size() <= kCredentialBytesMax &&
                   http::equals_ignore_case(authorization.substr(0, scheme.size()), scheme) &&
                   authorization[scheme.size()] == ' ';
  return has ? std::optional(authorization.substr(scheme.size() + 1)) : std::nullopt;
}

identity::Digest digest_of(std::string_view text) {
  identity::Digest digest{};
  identity::compute_digest(identity::DigestKind::kSha256, text, digest);
  return digest;
}

/// For logs: of what a stranger calls himself.
std::string printable(std::string_view name) {
  std::string out(name.substr(0, kNameBytesMax));
  std::replace_if(
      out.begin(), out.end(), [](char c) { return c < ' ' || c == 0x7f; }, '?');
  return out;
}

}  // namespace

std::string_view to_string(AdminRole role) noexcept {
  switch (role) {
    case AdminRole::kSystem: return "sysadmin";
    case AdminRole::kSecurity: return "secadmin";
    case AdminRole::kAudit: break;
  }
  return "auditor";
}

std::string_view to_string(SessionEnd end) noexcept {
  switch (end) {
    case SessionEnd::kAsked: return "logged out";
    case SessionEnd::kIdle: return "idle";
    case SessionEnd::kAge: return "too old";
    case SessionEnd::kConfig: break;
  }
  return "the administrator was changed";
}

Administrators::Administrators(AccountLookup lookup)
    : lookup_(std::move(lookup)),
      lockouts_(kLockoutPlaces) {}

void Administrators::follow(const config::Admin& admin) {
  if (admin == admin_) {
    return;
  }
  const std::vector<Administrator> before = std::exchange(admin_, admin).administrators;
  uids_.clear();
  for (const Administrator& one : admin_.administrators) {
    if (const auto uid = one.account.empty() ? std::nullopt : lookup_(one.account)) {
      uids_.emplace(one.name, *uid);
    }
  }
  for (auto session = sessions_.begin(); session != sessions_.end();) {
    const auto is_they = [&](const Administrator& one) { return one.name == session->second.name; };
    const auto then = std::find_if(before.begin(), before.end(), is_they);
    const auto now =
        std::find_if(admin_.administrators.begin(), admin_.administrators.end(), is_they);
    const bool same = then != before.end() && now != admin_.administrators.end() && *then == *now;
    session = same ? std::next(session) : end(session, SessionEnd::kConfig);
  }
}

const Administrator* Administrators::find(std::string_view name, Now now) const {
  const auto found = std::find_if(
      admin_.administrators.begin(), admin_.administrators.end(), [&](const Administrator& one) {
        return one.name == name && (one.expires_s == 0 || now.wall_s < one.expires_s);
      });
  return found != admin_.administrators.end() ? &*found : nullptr;
}

const Administrator* Administrators::at_socket(const Peer& peer, Now now) const {
  const auto found = std::find_if(uids_.begin(), uids_.end(),
                                  [&](const auto& known) { return known.second == peer.uid; });
  return peer.uid && found != uids_.end() ? find(found->first, now) : nullptr;
}

Administrators::Sessions::iterator Administrators::session_of(std::string_view authorization) {
  const auto token = credential(authorization, "Bearer");
  return token ? sessions_.find(digest_of(*token)) : sessions_.end();
}

const Administrator* Administrators::of_session(std::string_view authorization, Now now) {
  const auto session = session_of(authorization);
  if (session == sessions_.end()) {
    return nullptr;
  }
  session->second.used = now.steady;
  return find(session->second.name, now);
}

Result<Caller, Refusal> Administrators::admit(Roles roles, const Peer& peer,
                                              std::string_view authorization, Now now) {
  if (!required()) {
    return Caller{.actor = peer.text, .name = {}, .role = std::nullopt};
  }
  end_expired(now);
  const Administrator* known = of_session(authorization, now);
  if (known == nullptr && authorization.empty()) {
    known = at_socket(peer, now);
  }
  if (known == nullptr) {
    if (roles == kAnyone) {
      return Caller{.actor = peer.text, .name = {}, .role = std::nullopt};
    }
    return Failure<Refusal>{Refusal::kUnknown};
  }
  if (roles != kAnyone && (roles & role_bit(known->role)) == 0) {
    return Failure<Refusal>{Refusal::kForbidden};
  }
  return Caller{.actor = fmt::format("{} {}", known->name, peer.text),
                .name = known->name,
                .role = known->role};
}

policy::LockoutTable::Rules Administrators::lock_rules() const {
  return {.attempts = admin_.attempts, .window = admin_.lockout};
}

Result<Administrators::Login, LoginRefusal> Administrators::begin_login(
    const Peer& peer, std::string_view authorization, Now now) {
  const auto shown = credential(authorization, "Basic");
  std::optional<std::string> decoded = shown ? decode_base64(*shown) : std::nullopt;
  const size_t colon = decoded ? decoded->find(':') : std::string::npos;
  if (colon == std::string::npos) {
    return Failure<LoginRefusal>{{}};
  }
  Login login{.name = printable(std::string_view(*decoded).substr(0, colon)),
              .hash = {},
              .password = decoded->substr(colon + 1)};
  identity::wipe(*decoded);
  login.lock_key = identity::DigestHash{}(digest_of(fmt::format("{}\n{}", peer.place, login.name)));
  if (const Duration left = locked_for(login, now); left > Duration::zero()) {
    return Failure<LoginRefusal>{{Refusal::kLocked, login.name, left}};
  }
  if (logins_ >= kLoginsMax) {
    return Failure<LoginRefusal>{{Refusal::kBusy, login.name, {}}};
  }
  const Administrator* known = find(login.name, now);
  login.known = known != nullptr && !known->hash.empty();
  for (const Administrator& one : admin_.administrators) {
    login.hash = login.hash.empty() ? one.hash : login.hash;
  }
  login.hash = login.known ? known->hash : login.hash;
  ++logins_;
  return login;
}

Result<std::string, Refusal> Administrators::end_login(const Login& login, bool right, Now now) {
  --logins_;
  // Once more: the config may be another one by now.
  const Administrator* known = find(login.name, now);
  if (!right || !login.known || known == nullptr || known->hash != login.hash) {
    lockouts_.fail(login.lock_key, lock_rules(), now.steady);
    return Failure<Refusal>{locked_for(login, now) > Duration::zero() ? Refusal::kLocked
                                                                      : Refusal::kUnknown};
  }
  lockouts_.succeed(login.lock_key);
  std::string token = sessions_.size() < kSessionsMax ? identity::make_secret("hs_") : "";
  if (token.empty()) {
    return Failure<Refusal>{Refusal::kBusy};
  }
  sessions_[digest_of(token)] = {.name = login.name, .begun = now.steady, .used = now.steady};
  return token;
}

Duration Administrators::locked_for(const Login& login, Now now) const {
  return lockouts_.locked_for(login.lock_key, lock_rules(), now.steady);
}

void Administrators::log_out(std::string_view authorization) {
  if (const auto session = session_of(authorization); session != sessions_.end()) {
    end(session, SessionEnd::kAsked);
  }
}

Administrators::Sessions::iterator Administrators::end(Sessions::iterator session, SessionEnd why) {
  ended_.push_back({.name = session->second.name, .end = why});
  return sessions_.erase(session);
}

std::vector<EndedSession> Administrators::take_ended(Now now) {
  end_expired(now);
  return std::exchange(ended_, {});
}

void Administrators::end_expired(Now now) {
  for (auto session = sessions_.begin(); session != sessions_.end();) {
    const bool old = now.steady - session->second.begun >= admin_.session_max;
    const bool idle = now.steady - session->second.used >= admin_.idle_timeout;
    session =
        old || idle ? end(session, old ? SessionEnd::kAge : SessionEnd::kIdle) : std::next(session);
  }
}

std::optional<uint32_t> uid_of_account(const std::string& account) {
  std::array<char, 16 * 1024> buffer;
  passwd entry{};
  passwd* found = nullptr;
  const int failed = ::getpwnam_r(account.c_str(), &entry, buffer.data(), buffer.size(), &found);
  return failed == 0 && found != nullptr ? std::optional(found->pw_uid) : std::nullopt;
}

}  // namespace hangu::admin
