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
  std::vector<Waiter> waiters;
};

/// The stream's, made with the first call.
OidcVisit& visit_of(Stream& stream);

}  // namespace hangu::filter
