// Authenticator: one way in which a client can prove who it is, and what it proved. Compiled from
// the config, immutable, shared by all shards; what one remembers is kept per shard.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "hangu/filter/stream_info.h"

namespace hangu::filter {

class Stream;

struct NamedClaim {
  std::string_view name;
  std::string_view value;
};

/// Who a client has proved to be. It and its views live in the stream's arena or in its snapshot.
struct Principal final : Claims {
  std::string_view consumer;
  std::string_view method;      // "jwt"
  std::string_view credential;  // which one, for logs: the id of a key; never the credential itself
  std::span<const std::string_view> groups;
  std::span<const std::string_view> scopes;
  std::span<const NamedClaim> claims;

  std::optional<std::string_view> find(std::string_view name) const noexcept override;
};

struct AuthOutcome {
  enum class Kind : uint8_t {
    kAbsent,  // nothing that this authenticator looks at
    kProved,
    kRefused,      // something that is wrong
    kUnavailable,  // it cannot be told now
    kForbidden,    // right, but not enough (a scope is missing)
    kLocked,       // too many wrong ones before
    kWaiting,      // the answer comes later, to the AuthAsker
    kReplied,      // the stream has been answered: the request was for the authenticator itself
  };

  Kind kind = Kind::kAbsent;
  const Principal* principal = nullptr;  // with kProved
  std::string_view reason;               // one of stats::kAuthReasons; may be empty if it is
                                         // absent, and with kReplied: all went well
  uint32_t retry_after_s = 0;            // with kLocked and kUnavailable
  bool cached = false;                   // by what was verified before
  uint16_t status = 0;                   // with kUnavailable: of the reply; 0: 503
};

/// Who hears an answer that came later, on the stream's shard, if the stream is still there.
class AuthAsker {
 public:
  virtual void on_auth_answer(Stream& stream, const AuthOutcome& outcome) const noexcept = 0;

 protected:
  ~AuthAsker() = default;
};

class Authenticator {
 public:
  virtual ~Authenticator() = default;

  virtual AuthOutcome authenticate(Stream& stream, const AuthAsker& asker) const noexcept = 0;

  /// Takes what proves it out of the request: the upstream need not know.
  virtual void strip(Stream& stream) const noexcept = 0;

  /// Of WWW-Authenticate (RFC 9110 §11.6.1), for an outcome that is not kProved; empty: there is
  /// none.
  virtual std::string_view challenge(const AuthOutcome& outcome) const noexcept = 0;

  /// In place of 401 for a client without a credential: answers it with the way to where it can
  /// get one. False: there is none for this client.
  virtual bool send_to_login(Stream& /*stream*/) const noexcept { return false; }

  /// Whether it keeps something for responses, see FilterState::oidc.
  virtual bool writes_responses() const noexcept { return false; }
};

}  // namespace hangu::filter
