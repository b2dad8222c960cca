// gRPC over HTTP/2, as far as a gateway has to know it: who speaks it, its deadlines, and its way
// to say that a call failed. Pure functions.
#pragma once

#include <optional>
#include <string_view>

#include "hangu/base/clock.h"
#include "hangu/buffer/arena.h"
#include "hangu/http/local_reply.h"
#include "hangu/http/message.h"

namespace hangu::http {

enum class GrpcStatus : uint8_t {
  kOk = 0,
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
  kUnauthenticated = 16,
};

inline constexpr unsigned kGrpcStatuses = 17;

/// "DEADLINE_EXCEEDED".
const char* to_string(GrpcStatus status) noexcept;

/// Whether a request is a gRPC call: `content-type: application/grpc`, "+proto" and such included,
/// gRPC-Web not.
bool is_grpc(const HeaderBlock& headers) noexcept;

/// The value of `grpc-timeout`: at most 8 digits and one of H M S m u n.
std::optional<Duration> parse_grpc_timeout(std::string_view text) noexcept;

/// The same value again, rounded down, at most kGrpcTimeoutChars; returns how many it wrote.
inline constexpr size_t kGrpcTimeoutChars = 9;
size_t write_grpc_timeout(Duration timeout, char* out) noexcept;

/// Of a head without a body, or of trailers; nullopt when they have none.
std::optional<GrpcStatus> grpc_status_of(const HeaderBlock& headers) noexcept;

/// Whether it says that the server does badly, and not what is wrong with the call; a deadline is
/// the client's.
bool is_server_error(GrpcStatus status) noexcept;

/// What a local reply of this HTTP status is to a gRPC client.
GrpcStatus grpc_status_for(int http_status) noexcept;

/// Fills in `response` as a call that failed: a head, and nothing behind it (Trailers-Only).
void make_grpc_response(const LocalReply& reply, buffer::Arena& arena,
                        ResponseHead& response) noexcept;

}  // namespace hangu::http
