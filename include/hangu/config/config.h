// Config: everything the gateway was told, typed, complete (defaults filled in) and immutable once
// it is published. Made from YAML by config/load.h; one snapshot is shared by all threads. Names
// are resolved to indices by the loader, so that nothing is looked up by name per request.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hangu/base/clock.h"
#include "hangu/base/shared_list.h"
#include "hangu/config/actions.h"
#include "hangu/config/admin.h"
#include "hangu/config/common.h"
#include "hangu/config/config_center.h"
#include "hangu/config/discovery.h"
#include "hangu/config/forward_auth.h"
#include "hangu/config/identity.h"
#include "hangu/config/key_part.h"
#include "hangu/config/lifecycle.h"
#include "hangu/config/load_control.h"
#include "hangu/config/mode.h"
#include "hangu/config/openapi.h"
#include "hangu/config/plugins.h"
#include "hangu/config/release.h"
#include "hangu/config/size.h"
#include "hangu/http/method.h"

namespace hangu::config {

enum class EventLoopKind : uint8_t { kAuto, kIoUring, kEpoll };

/// An address as written: "[::]:8080", "127.0.0.1:0" or "unix:/run/x.sock"; checked by the loader.
struct BindAddress {
  std::string text;
  bool operator==(const BindAddress&) const = default;
};

struct ClientTimeouts {
  Duration header = std::chrono::seconds(10);      // first byte of a head to its end; 408
  Duration body_idle = std::chrono::seconds(30);   // between two pieces of a request body; 408
  Duration idle = std::chrono::seconds(75);        // keep-alive connection with no request
  Duration write_idle = std::chrono::seconds(30);  // client takes nothing of what we send
  bool operator==(const ClientTimeouts&) const = default;
};

struct HeadLimits {
  uint32_t request_line_bytes = 8 * 1024;  // 414
  uint32_t header_line_bytes = 16 * 1024;  // 431
  uint32_t headers_bytes = 60 * 1024;      // 431
  uint32_t headers_count = 100;            // 431
  bool operator==(const HeadLimits&) const = default;
};

enum class Protocol : uint8_t { kHttp1, kHttp2 };

/// What an upstream speaks; kAuto: what its server picks in the TLS handshake (ALPN).
enum class UpstreamProtocol : uint8_t { kHttp1, kHttp2, kAuto };

struct Http2Options {
  uint32_t streams_max = 128;                 // at once, per connection
  uint32_t stream_window_bytes = 256 * 1024;  // of request bodies
  uint32_t connection_window_bytes = 1024 * 1024;
  uint32_t continuations_max = 8;                   // CONTINUATION frames of one head
  uint32_t frame_budget = 500;                      // useless frames at once
  uint32_t frame_budget_per_second = 100;           // and in the long run
  Duration idle_timeout = std::chrono::minutes(5);  // connection without a stream
  bool operator==(const Http2Options&) const = default;
};

struct CertificateFiles {
  std::string certificate;         // PEM: the certificate, then its issuers
  std::string key;                 // PEM
  std::string ocsp;                // DER, to be stapled; may be empty
  std::vector<std::string> hosts;  // empty: the names in the certificate
  bool operator==(const CertificateFiles&) const = default;
};

enum class TlsPolicy : uint8_t { kModern, kIntermediate, kCustom };
enum class TlsVersion : uint8_t { kTls12, kTls13 };
enum class ClientAuth : uint8_t { kNone, kRequest, kRequire };

struct ListenerTls {
  bool enabled = false;
  std::vector<CertificateFiles> certificates;  // the first answers for unknown names
  TlsPolicy policy = TlsPolicy::kModern;
  TlsVersion version_min = TlsVersion::kTls12;  // these five with kCustom
  TlsVersion version_max = TlsVersion::kTls13;
  std::string ciphers;
  std::string cipher_suites;
  std::string groups;
  ClientAuth client_auth = ClientAuth::kNone;
  std::string client_ca;
  std::string client_crl;
  uint32_t client_depth = 3;
  std::vector<std::string> client_names;
  bool match_host = false;
  bool early_data = false;  // of TLS 1.3
  bool tickets = true;
  Duration ticket_rotation = std::chrono::hours(12);
  Duration handshake_timeout = std::chrono::seconds(10);
  bool operator==(const ListenerTls&) const = default;
};

struct UpstreamTls {
  bool enabled = false;
  bool verify = true;
  std::string ca;           // PEM; empty: the system's
  std::string server_name;  // empty: the endpoint's host
  std::string certificate;  // of ours; may be empty
  std::string key;
  bool operator==(const UpstreamTls&) const = default;
};

enum class UnderscorePolicy : uint8_t { kReject, kAllow };
enum class EncodedSlashPolicy : uint8_t { kReject, kKeep };
enum class ForwardPath : uint8_t { kNormalised, kOriginal };

struct Listener {
  std::string name;
  BindAddress bind;
  uint32_t backlog = 4096;
  uint32_t connections_max = 0;  // 0: bounded by the descriptors alone
  std::vector<Cidr> trusted_proxies;
  std::vector<Cidr>
      proxy_protocol_from;  // peers here must begin with a PROXY header; others must not
  std::vector<Protocol> protocols = {Protocol::kHttp2, Protocol::kHttp1};
  Http2Options http2;
  ListenerTls tls;
  ClientTimeouts timeouts;
  HeadLimits limits;
  uint64_t requests_per_connection_max = 0;  // 0: no limit
  UnderscorePolicy underscores = UnderscorePolicy::kReject;
  EncodedSlashPolicy encoded_slash = EncodedSlashPolicy::kReject;
  bool merge_slashes = true;
  ForwardPath forward_path = ForwardPath::kNormalised;
  uint32_t unknown_host_status = 404;  // 404 or 421

  bool speaks(Protocol protocol) const {
    return std::find(protocols.begin(), protocols.end(), protocol) != protocols.end();
  }

  bool operator==(const Listener&) const = default;
};

struct Endpoint {
  std::string host;  // DNS name, IP literal, or empty with a path
  uint16_t port = 0;
  std::string unix_path;
  uint32_t weight = 1;    // its share among those of its priority
  uint32_t priority = 0;  // the lowest first; the next ones as those before lose health
  bool operator==(const Endpoint&) const = default;
};

inline constexpr uint32_t kEndpointWeightMax = 1000;
inline constexpr uint32_t kPriorityMax = 7;

struct Http2Client {
  uint32_t stream_window_bytes = 256 * 1024;  // of response bodies
  uint32_t connection_window_bytes = 4 * 1024 * 1024;
  Duration ping_interval{};  // of silence after which the peer is asked; 0: never
  Duration ping_timeout = std::chrono::seconds(10);
  bool operator==(const Http2Client&) const = default;
};

/// What may make a request be sent again; see docs/traffic.md.
enum class RetryReason : uint8_t {
  kConnectFailure,
  kRefusedStream,       // HTTP/2: REFUSED_STREAM
  kGoaway,              // HTTP/2: a stream that the peer says it did not process
  kResetBeforeRequest,  // a kept connection that closed before its request was answered
  kReset,               // any other end before the answer began
  kTimeout,             // no answer within the time of a try
};

/// When a request is sent again.
struct RetryPolicy {
  uint32_t attempts = 1;  // further ones
  std::vector<RetryReason> on = {RetryReason::kConnectFailure, RetryReason::kRefusedStream,
                                 RetryReason::kGoaway, RetryReason::kResetBeforeRequest};
  std::vector<uint32_t> statuses;     // answers that another try may better
  bool non_idempotent = false;        // the same for requests that are not idempotent
  uint32_t buffer_bytes = 64 * 1024;  // of a request's body, kept to be sent again
  Duration try_timeout{};             // 0: none, or a share of the route's with kTimeout
  Duration backoff = std::chrono::milliseconds(25);
  Duration backoff_max = std::chrono::milliseconds(250);
  uint32_t budget_percent = 20;  // of the requests under way
  uint32_t budget_min = 3;       // at once, whatever the percentage
  bool operator==(const RetryPolicy&) const = default;
};

/// When an upstream gets no more requests for a while.
struct CircuitBreaker {
  bool enabled = false;
  Mode mode = Mode::kEnforce;
  uint32_t failure_percent = 60;  // more than that opens it
  uint32_t requests_min = 20;     // in the window, for that to count
  Duration window = std::chrono::seconds(10);
  uint32_t own_failures = 3;  // in a row; 0: they count as the others do
  std::vector<uint32_t> statuses = {500, 502, 503, 504};  // that are failures
  Duration open_time = std::chrono::seconds(30);
  Duration open_time_max = std::chrono::seconds(30);  // doubled up to this by failed probes
  uint32_t successes = 5;                             // of probes, to close it
  uint32_t slow_percent = 50;                         // more than that opens it, too
  Duration slow_over{};                               // of answers later than this; 0: none is slow
  bool operator==(const CircuitBreaker&) const = default;
};

/// How long a request may take, told from hop to hop in `x-request-timeout-ms`.
struct DeadlineField {
  bool accept = false;   // from trusted proxies
  bool forward = false;  // what is left of it
  bool operator==(const DeadlineField&) const = default;
};

enum class BalancingPolicy : uint8_t { kRoundRobin, kLeastRequests, kPeakEwma, kHash, kRingHash };

enum class SameSite : uint8_t { kLax, kStrict, kNone };

/// A cookie that leads a client back to the endpoint it had.
struct StickyCookie {
  bool enabled = false;
  std::string name = "hangu-endpoint";
  std::string path = "/";
  Duration ttl{};  // 0: until the browser closes
  SameSite same_site = SameSite::kLax;
  bool secure = false;
  bool http_only = true;
  Secret secret;  // empty: at random, of this process
  bool operator==(const StickyCookie&) const = default;
};

/// How an endpoint that is new or comes back gets its full share.
struct SlowStart {
  Duration window{};        // 0: at once
  uint32_t aggression = 1;  // more: steeper at first
  uint32_t percent_min = 10;
  bool operator==(const SlowStart&) const = default;
};

struct Balancing {
  BalancingPolicy policy = BalancingPolicy::kRoundRobin;
  std::vector<KeyPart> key = {KeyPart{}};  // with kHash and kRingHash
  uint32_t ring_size = 16 * 1024;          // points, with kRingHash
  uint32_t balance_factor = 0;             // percent of the mean load, with these two; 0: any
  SlowStart slow_start;
  StickyCookie sticky;
  uint32_t panic_percent = 50;  // fewer healthy ones than that: all are used; 0: never
  uint32_t subset_size = 0;     // of the endpoints, that one worker uses; 0: all
  bool operator==(const Balancing&) const = default;
};

/// Ejects endpoints whose success rate lies far below that of the others.
struct SuccessRate {
  bool enabled = false;
  uint32_t endpoints_min = 5;    // that had requests enough, to compare
  uint32_t requests_min = 100;   // of an endpoint in the interval, to count
  uint32_t stdev_percent = 190;  // so many hundredths of a standard deviation below the mean
  bool operator==(const SuccessRate&) const = default;
};

/// Ejects endpoints of whose requests too many failed.
struct FailurePercentage {
  bool enabled = false;
  uint32_t endpoints_min = 5;
  uint32_t requests_min = 50;
  uint32_t threshold = 85;
  bool operator==(const FailurePercentage&) const = default;
};

/// When one endpoint of several gets no more requests for a while.
struct Ejection {
  bool enabled = false;
  Mode mode = Mode::kEnforce;
  uint32_t failures = 5;          // in a row
  uint32_t gateway_failures = 0;  // in a row, without an answer of the application; 0: off
  std::vector<uint32_t> statuses = {500, 502, 503, 504};
  Duration time = std::chrono::seconds(30);  // times the number of the ejection
  Duration time_max = std::chrono::minutes(5);
  uint32_t percent_max = 50;                     // of the endpoints, at least one, never the last
  Duration interval = std::chrono::seconds(10);  // of the two below
  SuccessRate success_rate;
  FailurePercentage failure_percentage;
  bool operator==(const Ejection&) const = default;
};

enum class HealthCheckKind : uint8_t { kHttp, kTcp, kGrpc };

struct StatusRange {
  uint32_t first = 200;
  uint32_t last = 200;
  bool operator==(const StatusRange&) const = default;
};

/// What the gateway asks an endpoint itself, to know whether it is well.
struct HealthCheck {
  bool enabled = false;
  Mode mode = Mode::kEnforce;
  HealthCheckKind kind = HealthCheckKind::kHttp;
  std::string path = "/";
  std::string host;  // empty: the endpoint's
  std::string method = "GET";
  std::vector<StatusRange> statuses = {{.first = 200, .last = 399}};
  std::string body;     // to be found in the answer; empty: any
  std::string send;     // with kTcp
  std::string expect;   // the same
  std::string service;  // with kGrpc; empty: the server as a whole
  uint32_t port = 0;    // 0: the endpoint's
  Duration interval = std::chrono::seconds(5);
  Duration no_traffic_interval = std::chrono::seconds(60);
  Duration timeout = std::chrono::seconds(1);
  uint32_t jitter_percent = 15;  // of the interval
  uint32_t healthy = 2;          // good ones in a row that bring it back
  uint32_t unhealthy = 3;        // bad ones in a row that take it out
  bool ends_ejection = true;     // a good one does
  bool operator==(const HealthCheck&) const = default;
};

struct Upstream {
  std::string name;
  std::vector<Endpoint> endpoints;  // none only with `discovery`, whose endpoints follow these
  Discovery discovery;
  UpstreamProtocol protocol = UpstreamProtocol::kHttp1;
  Http2Client http2;
  UpstreamTls tls;
  Balancing balancing;
  Ejection ejection;
  HealthCheck health_check;
  CircuitBreaker circuit_breaker;
  UpstreamLimits limits;
  RequestQueue queue;
  Hedging hedging;
  AdaptiveConcurrency adaptive_concurrency;
  Admission admission;
  Duration connect_timeout = std::chrono::seconds(2);
  Duration idle_timeout = std::chrono::seconds(60);  // pooled connection without a request
  uint32_t idle_connections_max = 1024;              // per endpoint and shard
  uint64_t requests_per_connection_max = 0;          // 0: no limit
  Duration connection_age_max{};                     // 0: no limit
  RetryPolicy retry;
  Duration dns_ttl_min = std::chrono::seconds(1);
  Duration dns_ttl_max = std::chrono::minutes(5);
  std::vector<std::string> dns_servers;  // "127.0.0.1:8600"; empty: the system's
  bool operator==(const Upstream&) const = default;
};

struct HeaderEdit {
  struct Field {
    std::string name;
    std::string value;
    bool secret = false;   // from ${ENV}, file: or an authorization-like field: never printed
    bool literal = false;  // from ${ENV} or file:, so that `{name}` in it is no variable
    bool operator==(const Field&) const = default;
  };

  std::vector<Field> set;            // replaces every field of that name
  std::vector<Field> set_if_absent;  // the same where there is none of that name
  std::vector<Field> add;            // appends one more field
  std::vector<std::string> remove;
  bool operator==(const HeaderEdit&) const = default;
};

enum class MissingKey : uint8_t { kShare, kSkip, kDeny };
enum class RateHeaders : uint8_t { kDraft, kLegacy, kBoth, kOff };
enum class RateHeadersOn : uint8_t { kRejected, kAll };

/// What a request takes of a rate limit.
struct RateCost {
  enum class Kind : uint8_t {
    kFixed,
    kRequestBytes,  // these four are known when the response has ended
    kResponseBytes,
    kBytes,           // of both bodies
    kResponseHeader,  // a number in a field of the upstream's response
  };

  Kind kind = Kind::kFixed;
  uint64_t fixed = 1;
  std::string header;  // lower case
  bool operator==(const RateCost&) const = default;
};

enum class QuotaPeriod : uint8_t { kDay, kMonth };

/// So many in a day or month of the calendar.
struct Quota {
  uint64_t limit = 0;  // 0: there is no quota
  QuotaPeriod per = QuotaPeriod::kDay;
  int32_t offset_minutes = 0;  // of local time from UTC
  bool operator==(const Quota&) const = default;
};

/// Which requests of a route a limit is about.
struct RateMatch {
  std::vector<std::string> methods;  // empty: any; upper case
  std::string path_exact;            // one of these two, or neither (any path)
  std::string path_prefix;           // on segment borders
  bool skip_preflight = false;       // of CORS
  bool operator==(const RateMatch&) const = default;
};

enum class RateScope : uint8_t { kShard, kNode, kCluster };
enum class RateAccuracy : uint8_t { kExact, kLease };
enum class ClusterMode : uint8_t { kSync, kStrict };

/// How nodes count together.
struct RateCluster {
  uint32_t store = kNoStore;  // index in Config::stores
  ClusterMode mode = ClusterMode::kSync;
  OnStoreError on_store_error = OnStoreError::kLocal;
  bool operator==(const RateCluster&) const = default;
};

struct RateLimit {
  std::string name;
  Mode mode = Mode::kEnforce;
  Rate rate;  // one of these two
  Quota quota;
  uint64_t burst = 0;  // of the rate; 0: what it allows in a second, at least 1
  RateCost cost;
  RateMatch match;
  RateScope scope = RateScope::kNode;
  RateAccuracy accuracy = RateAccuracy::kExact;
  RateCluster cluster;
  std::vector<KeyPart> key = {KeyPart{}};
  MissingKey on_missing_key = MissingKey::kShare;
  uint32_t ipv4_prefix = 32;
  uint32_t ipv6_prefix = 64;
  std::vector<Cidr> exempt;  // clients that are not limited
  uint32_t status = 429;
  RateHeaders headers = RateHeaders::kDraft;
  RateHeadersOn headers_on = RateHeadersOn::kRejected;
  uint64_t keys_max = 1'000'000;
  bool operator==(const RateLimit&) const = default;
};

inline constexpr size_t kRateLimitsMax = 16;  // of a route

/// How many requests may be under way at once, for each key.
struct ConcurrencyLimit {
  std::string name;
  Mode mode = Mode::kEnforce;
  uint32_t requests_max = 0;
  std::vector<KeyPart> key = {KeyPart{}};
  MissingKey on_missing_key = MissingKey::kShare;
  uint32_t ipv4_prefix = 32;
  uint32_t ipv6_prefix = 64;
  std::vector<Cidr> exempt;  // clients that are not limited
  uint32_t status = 429;
  bool headers = true;  // RateLimit-Policy and RateLimit on refusals
  Duration retry_after = std::chrono::seconds(1);
  uint64_t keys_max = 100'000;  // with requests under way
  bool operator==(const ConcurrencyLimit&) const = default;
};

inline constexpr size_t kConcurrencyLimitsMax = 8;  // of a route

/// Who shares the bytes of a bandwidth limit.
enum class BandwidthScope : uint8_t { kKey, kStream };

/// How many bytes of bodies may pass in a second.
struct BandwidthLimit {
  std::string name;
  Mode mode = Mode::kEnforce;
  BandwidthScope scope = BandwidthScope::kKey;
  uint64_t request_bytes_per_second = 0;   // 0: no limit
  uint64_t response_bytes_per_second = 0;  // 0: no limit
  uint64_t burst_bytes = 0;                // 0: a tenth of a second's, at least 64 KiB
  std::vector<KeyPart> key = {KeyPart{}};  // with kKey
  uint32_t ipv4_prefix = 32;
  uint32_t ipv6_prefix = 64;
  std::vector<Cidr> exempt;  // clients that are not limited
  uint64_t keys_max = 100'000;
  bool operator==(const BandwidthLimit&) const = default;
};

inline constexpr size_t kBandwidthLimitsMax = 4;  // of a route

/// How the value of a field is compared.
enum class ValueMatch : uint8_t { kExact, kPrefix, kRegex, kAny };

/// redis://host:port/database
struct StoreUrl {
  std::string host;
  uint16_t port = 6379;
  uint32_t database = 0;
  bool operator==(const StoreUrl&) const = default;
};

/// A Redis or Valkey server that nodes share.
struct Store {
  std::string name;
  StoreUrl url;
  std::string username;  // empty: the default user
  Secret password;       // empty: none
  UpstreamTls tls;
  std::string prefix = "hangu";
  Duration timeout = std::chrono::milliseconds(20);         // for a request that waits
  Duration sync_interval = std::chrono::milliseconds(100);  // between two pushes of counts
  Duration connect_timeout = std::chrono::seconds(1);
  bool operator==(const Store&) const = default;
};

/// A field, cookie or parameter that a request must have.
struct FieldMatch {
  std::string name;   // of a header field: lower case
  std::string value;  // of a regular expression: that the whole value matches
  ValueMatch how = ValueMatch::kExact;
  bool operator==(const FieldMatch&) const = default;
};

struct RouteMatch {
  std::vector<std::string> hosts;    // exact or "*.example.org", lower case; empty: any
  std::string path_exact;            // one of these four, or none (any path)
  std::string path_template;         // see config/path_template.h
  std::string path_prefix;           // on segment borders: "/a" matches "/a" and "/a/b", not "/ab"
  std::string path_regex;            // of the whole path
  std::vector<std::string> methods;  // empty: any; upper case
  std::vector<FieldMatch> headers;   // all of them
  std::vector<FieldMatch> query;     // the same
  std::vector<FieldMatch> cookies;   // the same
  std::vector<Cidr> clients;         // one of them; empty: any
  bool operator==(const RouteMatch&) const = default;
};

/// A network in numbers; an IPv4 address as ::ffff:a.b.c.d, its prefix as 96 bits and its own.
struct Network {
  std::array<uint8_t, 16> bytes{};
  uint8_t bits = 0;
  bool operator==(const Network&) const = default;
};

/// Networks listed in a file of their own; read with the config, one object for all who name it.
struct NetworkFile {
  std::string path;                // empty: none
  std::array<uint64_t, 2> hash{};  // of the contents
  std::shared_ptr<const std::vector<Network>> networks;

  bool operator==(const NetworkFile& other) const {
    return path == other.path && hash == other.hash;
  }
};

/// Who may ask.
struct Clients {
  std::vector<Cidr> allow;  // with allow_file empty: all but those denied
  NetworkFile allow_file;
  std::vector<Cidr> deny;
  NetworkFile deny_file;
  Mode mode = Mode::kEnforce;
  bool operator==(const Clients&) const = default;
};

/// Which requests get a record in the audit log.
enum class AuditLevel : uint8_t {
  kDefault,   // of a route: as AuditLog::requests says
  kOff,       // none
  kSecurity,  // those that were refused, and failures of a filter
  kAll,
};

/// Which requests go to an upstream of a split whatever the weights: all that is given has to hold.
struct SplitRule {
  std::vector<FieldMatch> headers;  // all of them
  std::vector<FieldMatch> cookies;  // the same
  std::vector<Cidr> clients;        // one of them; empty: any
  IdentityMatch who;

  bool empty() const {
    return headers.empty() && cookies.empty() && clients.empty() && who.empty();
  }

  bool operator==(const SplitRule&) const = default;
};

/// Several upstreams that share the requests of a route.
struct Split {
  struct Part {
    uint32_t upstream = kNoUpstream;  // index in Config::upstreams
    uint32_t weight = 1;
    std::string version;           // of what is there, for people; may be empty
    IdentityMatch who;             // whose requests go here, whatever the weights; empty: nobody's
    std::vector<SplitRule> rules;  // so do those that one of these takes
    bool operator==(const Part&) const = default;
  };

  /// Where a request may name the upstream of its choice; the names of the field and the cookie.
  struct Override {
    std::string header;  // lower case; empty: none
    std::string cookie;
    bool operator==(const Override&) const = default;
  };

  bool enabled = false;
  std::vector<Part> upstreams;
  std::vector<KeyPart> key;  // alike in these: the same upstream; empty: at random
  Override choice;
  std::string sticky_cookie;  // that keeps requests without a key where they were; empty: none
  Duration sticky_max_age{};  // 0: as long as the browser is open
  Ramp ramp;
  ReleaseGuard guard;
  bool operator==(const Split&) const = default;
};

struct Route {
  std::string name;
  RouteMatch match;
  uint32_t upstream = kNoUpstream;  // index in Config::upstreams; kNoUpstream: none, or `split`
  Split split;
  Redirect redirect;
  DirectResponse respond;
  Rewrite rewrite;
  Clients clients;
  Cors cors;
  Compression compression;
  Fault fault;
  Mirror mirror;
  OpenApi openapi;
  Duration timeout = std::chrono::seconds(15);             // request sent to response head; 0: none
  Duration stream_idle_timeout = std::chrono::minutes(5);  // no byte either way
  Duration tunnel_idle_timeout = std::chrono::minutes(5);  // WebSocket and other upgrades
  uint64_t body_bytes_max = 10 * 1024 * 1024;              // request body; 0: no limit; 413
  uint64_t response_body_bytes_max = 0;                    // 0: no limit; 502
  uint32_t headers_bytes_max = 0;                          // of a request; 0: no limit; 431
  Priority priority = Priority::kNormal;
  DeadlineField deadline;
  CircuitBreaker circuit_breaker;  // besides its upstream's
  bool upgrades = true;            // let `Upgrade` tunnels through
  bool preserve_host = true;       // else Host is the endpoint's
  bool grpc_web = false;           // its clients may call gRPC upstreams
  Authentication authentication;
  uint32_t forward_auth = kNoForwardAuth;  // index in Config::forward_auths
  Authorization authorization;
  std::vector<uint32_t> rate_limits;         // indices in Config::rate_limits
  std::vector<uint32_t> concurrency_limits;  // the same in theirs
  std::vector<uint32_t> bandwidth_limits;    // the same
  std::vector<PluginUse> plugins;            // in this order
  HeaderEdit request_headers;
  HeaderEdit response_headers;
  AuditLevel audit = AuditLevel::kDefault;
  bool operator==(const Route&) const = default;
};

/// Generations of the config share the routes that they have in common, see share_unchanged().
using RouteList = SharedList<Route>;

struct AccessLog {
  bool enabled = false;
  std::string path = "-";                  // "-": standard output
  uint64_t queue_bytes = 4 * 1024 * 1024;  // per shard; beyond it records are dropped and counted
  bool operator==(const AccessLog&) const = default;
};

enum class AuditDigest : uint8_t { kSha256, kSm3 };
enum class AuditFsync : uint8_t { kNever, kInterval, kBatch };
enum class AuditBackpressure : uint8_t { kSpill, kDropWithMarker, kFailClosed };

/// A server that gets every record of the audit log, too (RFC 5424 over TCP or TLS).
struct AuditSyslog {
  bool enabled = false;
  std::string address;  // "host:port"
  bool tls = true;
  std::string ca;           // PEM; empty: the system's
  std::string server_name;  // empty: the host of the address
  std::string certificate;  // of ours; may be empty
  std::string key;
  uint32_t facility = 13;                   // "log audit"
  uint64_t queue_bytes = 16 * 1024 * 1024;  // beyond it records are left out and counted
  bool operator==(const AuditSyslog&) const = default;
};

struct AuditLog {
  bool enabled = false;
  std::string path;
  AuditLevel requests = AuditLevel::kSecurity;  // of routes that do not say
  AuditDigest chain = AuditDigest::kSha256;
  std::string signing_key;      // PEM, Ed25519; empty: no signed checkpoints
  std::string checkpoint_path;  // empty: the path with ".checkpoints"
  uint64_t checkpoint_records = 10'000;
  Duration checkpoint_interval = std::chrono::seconds(1);
  AuditFsync fsync = AuditFsync::kInterval;
  Duration fsync_interval = std::chrono::seconds(1);
  AuditBackpressure on_backpressure = AuditBackpressure::kSpill;
  uint64_t queue_bytes = 4 * 1024 * 1024;  // per shard
  std::string spill_path;                  // empty: the path with ".spill"
  uint64_t spill_bytes_max = 1024ULL * 1024 * 1024;
  uint64_t rotate_bytes = 1024ULL * 1024 * 1024;
  Duration rotate_interval = std::chrono::hours(24);
  bool compress = true;                               // what was rotated away
  Duration retention = std::chrono::hours(24 * 183);  // 0: for ever
  bool mask = true;
  std::vector<std::string> mask_patterns;
  AuditSyslog syslog;
  bool operator==(const AuditLog&) const = default;
};

/// Rules that the config is held to.
enum class Compliance : uint8_t { kNone, kMlps3 };

/// Network logs are kept for six months (Cybersecurity Law).
inline constexpr Duration kMlpsRetentionMin = std::chrono::hours(24 * 183);

struct Buffers {
  uint64_t receive_bytes_max = 256ULL * 1024 * 1024;      // of receive blocks, per shard
  uint64_t write_high_watermark = 256 * 1024;             // a producer pauses above it
  uint64_t write_low_watermark = 64 * 1024;               // and goes on below it
  uint64_t compression_bytes_max = 128ULL * 1024 * 1024;  // of compressors at work, per shard
  bool operator==(const Buffers&) const = default;
};

struct Config {
  std::string source_path;
  uint64_t generation = 0;  // set by the publisher
  uint32_t workers = 0;     // 0: one a core
  bool pin_workers = true;
  EventLoopKind event_loop = EventLoopKind::kAuto;
  std::string log_level = "info";
  std::string node;                          // name of this machine in logs; default: host name
  std::string state_dir = "/var/lib/hangu";  // what outlives a restart: counts of quotas
  std::vector<Listener> listeners;
  std::vector<Upstream> upstreams;
  std::vector<Store> stores;
  std::vector<Consumer> consumers;
  std::vector<Authenticator> authenticators;
  std::vector<ForwardAuth> forward_auths;
  std::vector<RateLimit> rate_limits;
  std::vector<ConcurrencyLimit> concurrency_limits;
  std::vector<BandwidthLimit> bandwidth_limits;
  std::vector<Plugin> plugins;
  RouteList routes;
  AccessLog access_log;
  AuditLog audit;
  Compliance compliance = Compliance::kNone;
  Admin admin;
  Shutdown shutdown;
  Upgrade upgrade;
  ReloadWindow reload;
  Buffers buffers;
  Overload overload;
  Duration certificate_alarm = std::chrono::hours(24 * 14);  // so long before its end; 0: never
  ConfigCenter config_center;
  bool operator==(const Config&) const = default;
};

}  // namespace hangu::config
