// OidcQuestion: what a provider's token endpoint is being asked, and which requests wait for it.
#pragma once

#include <vector>

#include "hangu/filter/callout.h"
#include "hangu/filter/oidc_authenticator.h"
#include "hangu/filter/stream.h"

namespace hangu::filter {

struct OidcQuestion final : CalloutAsker {
  struct Waiter {
    StreamHandle stream;
    const OidcAuthenticator* authenticator = nullptr;  // outlives the stream
    const AuthAsker* asker = nullptr;                  // the same
  };

  OidcQuestion(const OidcAuthenticator& who, ShardContext& where, const identity::Digest& what)
      : authenticator(who),
        shard(where),
        digest(what) {}

  void on_callout_answer(const CalloutAnswer& answer) noexcept override {
    authenticator.on_answer(*this, answer);
  }

  // Of the first who asked: the callout keeps its snapshot.
  const OidcAuthenticator& authenticator;
  ShardContext& shard;
  identity::Digest digest;
  bool claimed = false;  // no other shard asks
  std::vector<Waiter> waiters;
};

/// A request that waits for what another shard asks; in the stream's arena.
struct RefreshWait final : event::Timer {
  RefreshWait(Stream& what, const OidcAuthenticator& who, TimePoint deadline)
      : stream(what),
        authenticator(who),
        until(deadline) {}

  void on_timer() noexcept override { authenticator.look_again(stream, *asker); }

  Stream& stream;
  const OidcAuthenticator& authenticator;
  TimePoint until;
  const AuthAsker* asker = nullptr;
};

/// Unix time now: an answer comes later than its request.
int64_t now_seconds(const Stream& stream);

/// The stream's, made with the first call.
OidcVisit& visit_of(Stream& stream);

}  // namespace hangu::filter
