// WantedDigest: what the body of a request has to be, as its signature says. Left in the stream by
// who verified the signature, for BodyDigestFilter. In the stream's arena.
#pragma once

#include <cstdint>

#include "hangu/identity/body_digest.h"

namespace hangu::filter {

class Authenticator;

struct WantedDigest {
  identity::BodyDigest digest;
  uint64_t body_bytes_max = 0;
  const Authenticator* by = nullptr;  // who wants it
};

}  // namespace hangu::filter
