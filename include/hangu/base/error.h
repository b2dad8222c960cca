// Error: the one failure value of the data path. Small, trivially copyable, never allocates.
// It says what went wrong (code), whose fault it is (side) and whether the same request may be sent
// again (retry); http/local_reply.h maps it to the HTTP reply in one place. `detail` is static
// text.
#pragma once

#include <cstdint>

namespace hangu {

enum class Errc : uint8_t {
  kNone,
  // Malformed or ambiguous messages (RFC 9112): `detail` says which rule.
  kBadRequestLine,
  kBadHeader,
  kBadHost,
  kBadPath,
  kBadFraming,
  kBadChunk,
  kBadVersion,
  kBadStatusLine,
  kBadProxyHeader,
  // Limits.
  kUriTooLong,
  kHeadersTooLarge,
  kBodyTooLarge,
  kExpectationFailed,
  kNotImplemented,
  // Transport and peers.
  kConnectFailed,
  kConnectTimeout,
  kReset,
  kUnexpectedEof,
  kUnexpectedData,
  kTlsHandshake,    // refused, malformed, or no common ground
  kTlsCertificate,  // of the peer: not one we accept
  kTimeout,
  kIdleTimeout,
  kClosedByUs,
  // Resources and policy.
  kNoRoute,
  kMethodNotAllowed,
  kMisdirected,
  kTooEarly,
  kNoEndpoint,
  kOverflow,
  kQueueTimeout,
  kDraining,
  kResource,
  kInternal,
  // Operating system call that failed at set-up: see sys_errno.
  kSystem,
  kInvalidArgument,
};

enum class Side : uint8_t { kDownstream, kUpstream, kInternal };

/// Whether the request that met the error may be sent again.
enum class Retry : uint8_t {
  kNever,
  kIfReused,      // on a reused connection, which the peer probably closed before it read it
  kIfIdempotent,  // it was sent and the answer had not begun: nobody knows what became of it
  kSafe,          // nothing of the request was sent
  kRefused,       // HTTP/2: the peer says that it did not look at the stream
  kGoaway,        // the same, of all streams above a number
};

struct Error {
  Errc code = Errc::kInternal;
  Side side = Side::kInternal;
  Retry retry = Retry::kNever;
  int sys_errno = 0;
  const char* detail = "";
};

constexpr Error downstream_error(Errc code, const char* detail, int sys_errno = 0) {
  return Error{code, Side::kDownstream, Retry::kNever, sys_errno, detail};
}

constexpr Error upstream_error(Errc code, const char* detail, int sys_errno = 0) {
  return Error{code, Side::kUpstream, Retry::kNever, sys_errno, detail};
}

constexpr Error internal_error(Errc code, const char* detail, int sys_errno = 0) {
  return Error{code, Side::kInternal, Retry::kNever, sys_errno, detail};
}

/// The enumerator's name in snake case, for logs and metrics: "bad_header".
const char* to_string(Errc code) noexcept;

}  // namespace hangu
