// StreamInfo: the facts about one request that logs, statistics and audit want, gathered while it
// passes. Plain data; the views live in the stream's arena, in its snapshot or in static memory, so
// they are valid in every filter callback, `on_stream_end` included.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "hangu/base/clock.h"
#include "hangu/base/error.h"
#include "hangu/http/grpc_web.h"
#include "hangu/policy/path_matcher.h"

namespace hangu::filter {

struct AuthRound;
class CompressedBody;
class DelayedRequest;
struct ForwardAuthRound;
struct HeldPlaces;
struct OidcVisit;
struct Principal;
class RateLimit;
class RequestCopy;
struct RateLimitRound;
class BodyHash;
struct WantedDigest;

/// What a client has proved of itself, such as the claims of a token. Lives as long as the stream.
class Claims {
 public:
  virtual std::optional<std::string_view> find(std::string_view name) const noexcept = 0;

 protected:
  ~Claims() = default;
};

enum class ClientIpSource : uint8_t { kPeer, kProxyProtocol, kForwardedFor };

/// Why the exchange ended before both messages were complete.
enum class StreamFailure : uint8_t { kNone, kClientClosed, kUpstream, kTimeout, kInternal };

/// What filters keep while a stream passes; nullptr: nothing. No tunnel needs any of it.
struct FilterState {
  CompressedBody* compressed_body = nullptr;
  DelayedRequest* delayed = nullptr;    // as long as it waits
  RequestCopy* request_copy = nullptr;  // as long as it is being made
  AuthRound* auth_round = nullptr;      // as long as it is not known who the client is
  const Principal* principal = nullptr;
  OidcVisit* oidc = nullptr;                 // what becomes of a session of OpenID Connect
  ForwardAuthRound* forward_auth = nullptr;  // as long as an authorization service is asked
  void** plugins = nullptr;                  // a pointer of each plugin's own, see plugin_filter.h
  const WantedDigest* wanted_digest = nullptr;  // of the body
  BodyHash* body_hash = nullptr;                // as long as the body comes in
};

/// As logs name them.
std::string_view to_string(ClientIpSource source) noexcept;
std::string_view to_string(StreamFailure failure) noexcept;  // empty: none

/// What became of a second try that was begun while the first was under way.
enum class HedgeOutcome : uint8_t { kNone, kLost, kWon };

struct StreamInfo {
  TimePoint started{};           // first byte of the head
  TimePoint request_received{};  // head complete
  TimePoint response_started{};  // head of the final response handed on
  WallTime wall_time{};

  std::string_view client_ip;
  uint16_t client_port = 0;
  ClientIpSource client_ip_source = ClientIpSource::kPeer;
  std::string_view tls_protocol;  // empty: it came without TLS
  std::string_view tls_cipher;
  std::string_view tls_server_name;     // that the client asked for
  std::string_view tls_client_subject;  // of its certificate, which was verified; else empty
  std::string_view tls_client_names;    // the certificate's alternative names
  std::string_view tls_client_fingerprint;
  bool tls_early = false;  // received before the handshake was over
  std::string_view request_id;
  std::string_view trace_id;

  std::string_view consumer;       // who the client has proved to be; empty: nobody
  const Claims* claims = nullptr;  // nullptr: none
  std::string_view auth_method;    // how it has: "jwt"
  std::string_view credential;     // by which, if it has a name: the id of a key
  std::string_view auth_reason;    // why it could not: "expired"
  std::string_view allowed_by;     // the id of the rule

  // Where it goes: chosen with the route, or by its split.
  uint32_t upstream = UINT32_MAX;   // index in Config::upstreams; none: config::kNoUpstream
  uint32_t cluster = UINT32_MAX;    // its number, see RouteRuntime::cluster
  std::string_view forward_target;  // what the upstream sees instead; empty: as it was asked
  std::string_view forward_host;

  policy::Captures captures;  // of the path, by its route
  static constexpr uint32_t kNoBucket = UINT32_MAX;
  uint32_t sticky_bucket = kNoBucket;  // of a split: the client is told of it
  static constexpr uint32_t kNoPart = UINT32_MAX;
  uint32_t split_part = kNoPart;  // index in the route's split.upstreams

  uint64_t request_body_bytes = 0;
  uint64_t response_body_bytes = 0;
  uint16_t status = 0;  // 499: the client left before a response
  uint16_t upstream_attempts = 0;
  std::string_view upstream_address;
  bool upstream_reused = false;
  bool peer_trusted = false;    // it is one of the listener's trusted proxies
  bool retry_overflow = false;  // not tried again: too many others were
  HedgeOutcome hedge = HedgeOutcome::kNone;
  std::string_view retried_for;  // why it was tried again, the last time
  int64_t queued_ns = 0;         // for a place among the requests to its upstream
  bool upgraded = false;
  bool grpc = false;
  bool grpc_ended = false;  // with grpc_status
  uint8_t grpc_status = 0;
  http::GrpcWeb grpc_web = http::GrpcWeb::kNone;
  http::Base64Decoder grpc_web_text;  // of the request's body

  StreamFailure failure = StreamFailure::kNone;
  Errc error = Errc::kNone;
  std::string_view code;    // of the local reply: "route.none"
  std::string_view origin;  // who made the local reply: a filter's name or "gateway"
  std::string_view rule;    // what of the config decided that: a rate limit's name
  std::string_view shadow;  // the same, had it been in force; several with commas between

  uint32_t audit_reserved = 0;              // bytes of the audit log's queue
  const HeldPlaces* held_places = nullptr;  // in concurrency limits; nullptr: none

  // The rate limit next to its end, for the response; nullptr: none is shown.
  const RateLimit* rate_limit = nullptr;
  uint64_t rate_limit_remaining = 0;
  uint64_t rate_limit_reset_s = 0;
  RateLimitRound* rate_limit_round = nullptr;  // of limits that are not through with the stream
};

}  // namespace hangu::filter
