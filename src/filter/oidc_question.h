// OidcQuestion: what a provider's token endpoint is being asked, and which requests wait for it.
#pragma once

#include "hangu/filter/oidc_authenticator.h"
#include "hangu/filter/stream.h"

#include "filter/shared_question.h"

namespace hangu::filter {

struct OidcQuestion final : SharedQuestion<OidcAuthenticator, OidcQuestion> {
  using SharedQuestion::SharedQuestion;

  bool claimed = false;  // no other shard asks
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
