// KeyPart: what limits, splits and caches tell requests apart by. Part of Config.
#pragma once

#include <cstdint>
#include <string>

namespace hangu::config {

/// One part of what requests are told apart by.
struct KeyPart {
  enum class Kind : uint8_t {
    kClientIp,
    kHost,
    kRoute,
    kMethod,
    kPath,
    kCapture,  // a part of the path: `path:{id}`
    kHeader,
    kCookie,
    kQuery,
    kConsumer,  // who the client has proved to be
    kClaim,     // of that proof
    kTlsServerName,
    kTlsClient,  // subject of the client's certificate
  };

  Kind kind = Kind::kClientIp;
  std::string name;  // of the capture, header field (lower case), cookie, query parameter or claim
  bool operator==(const KeyPart&) const = default;
};

}  // namespace hangu::config
