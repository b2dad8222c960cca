// The keys of one of `upstreams`. See schema.cc.
#include "config/balancing_keys.h"
#include "config/discovery_keys.h"
#include "config/endpoint_type.h"
#include "config/keys.h"
#include "config/resilience_keys.h"
#include "config/tls_keys.h"

namespace hangu::config {
namespace {

TypePtr<Upstream> upstream_http2() {
  auto type = object<Upstream>("mapping");
  type->key<&Upstream::http2, &Http2Client::stream_window_bytes>(
          size<uint32_t>({64 * kKiB, 16 * kMiB}),
          {.name = "stream_window",
           .documentation = "Bytes of a response body that may wait for a slow client.",
           .example = "1MiB",
           .reload = kNewConnections})
      .key<&Upstream::http2, &Http2Client::connection_window_bytes>(
          size<uint32_t>({64 * kKiB, 256 * kMiB}),
          {.name = "connection_window",
           .documentation = "The same for all responses of a connection together.",
           .example = "16MiB",
           .reload = kNewConnections})
      .key<&Upstream::http2, &Http2Client::ping_interval>(
          duration(milliseconds(100), hours(24), "never"),
          {.name = "ping_interval",
           .documentation =
               "After so long without a byte from the upstream, ask with PING whether it is still "
               "there. gRPC servers close connections that ask more often than every 5 minutes.",
           .example = "5m",
           .reload = kNewConnections})
      .key<&Upstream::http2, &Http2Client::ping_timeout>(
          duration(milliseconds(100), hours(1)),
          {.name = "ping_timeout",
           .documentation = "How long to wait for the answer; then the connection is given up.",
           .example = "2s",
           .reload = kNewConnections});
  return type;
}

TypePtr<Upstream> upstream_timeouts() {
  auto type = object<Upstream>("mapping");
  type->key<&Upstream::connect_timeout>(
          duration(milliseconds(10), minutes(5)),
          {.name = "connect", .documentation = "For one attempt to connect.", .example = "500ms"})
      .key<&Upstream::idle_timeout>(
          duration(milliseconds(100), hours(24)),
          {.name = "idle",
           .documentation =
               "How long a pooled connection may lie unused. Keep it below the idle timeout "
               "of the application.",
           .example = "30s",
           .reload = kNewConnections});
  return type;
}

TypePtr<Upstream> upstream_pool() {
  auto type = object<Upstream>("mapping");
  type->key<&Upstream::idle_connections_max>(
          number<uint32_t>({0, 1'000'000, {}, "no connection is kept"}),
          {.name = "idle_max",
           .documentation = "Most unused connections kept, per endpoint and worker.",
           .example = "64"})
      .key<&Upstream::requests_per_connection_max>(
          number<uint64_t>({0, 1'000'000'000, {}, "no limit"}),
          {.name = "requests_per_connection",
           .documentation = "After so many requests a connection is replaced.",
           .example = "1000",
           .reload = kNewConnections})
      .key<&Upstream::connection_age_max>(
          duration(seconds(1), hours(24 * 7), "no limit"),
          {.name = "age_max",
           .documentation = "After so long a connection takes no more requests.",
           .example = "1h",
           .reload = kNewConnections});
  return type;
}

TypePtr<Upstream> upstream_dns() {
  auto type = object<Upstream>("mapping");
  type->key<&Upstream::dns_ttl_min>(
          duration(milliseconds(100), hours(24)),
          {.name = "ttl_min",
           .documentation = "Names are asked again no sooner than this, whatever the TTL says.",
           .example = "5s"})
      .key<&Upstream::dns_ttl_max>(
          duration(milliseconds(100), hours(24)),
          {.name = "ttl_max",
           .documentation = "Names are asked again at the latest after this.",
           .example = "1m"})
      .key<&Upstream::dns_servers>(
          list(text(kDnsServerRule),
               {.name = "list of addresses", .example = "[\"127.0.0.1:8600\"]"}),
          {.name = "servers",
           .documentation = "The DNS servers to ask, such as Consul's. Empty: the system's.",
           .example = "[\"127.0.0.1:8600\"]"})
      .check(check_dns);
  return type;
}

}  // namespace

TypePtr<Upstream> upstream_keys() {
  auto type = object<Upstream>("upstream");
  type->key<&Upstream::name>(text(kNameRule), {.name = "name",
                                               .documentation = "Unique name; routes refer to it.",
                                               .example = "users",
                                               .required = true})
      .key<&Upstream::endpoints>(
          list<Endpoint>(std::make_unique<EndpointType>(), {.name = "list of endpoints",
                                                            .example = "[\"127.0.0.1:9000\"]",
                                                            .at_least_one = true,
                                                            .warn_repeated = true}),
          {.name = "endpoints",
           .documentation =
               "The servers: `127.0.0.1:9000`, `[::1]:9000`, `app.example.org:8080` (every "
               "address of the name, asked again when its TTL ends), `unix:/run/app.sock`; or "
               "mappings with a weight and a priority.",
           .example = "[\"127.0.0.1:9000\"]"})
      .key<&Upstream::discovery>(
          discovery_keys(),
          {.name = "discovery",
           .documentation = "Where to find more endpoints, which come and go while the gateway "
                            "runs, see docs/fleet.md. `endpoints` may be left out then.",
           .example = "{file: /etc/hangu/orders.endpoints.yaml}",
           .alternative = true})
      .key<&Upstream::protocol>(
          choice<UpstreamProtocol>({{"http/1.1", UpstreamProtocol::kHttp1},
                                    {"h2", UpstreamProtocol::kHttp2},
                                    {"auto", UpstreamProtocol::kAuto}}),
          {.name = "protocol",
           .documentation =
               "What the servers speak. Without TLS, `h2` is HTTP/2 with prior knowledge (h2c). "
               "`auto` needs TLS: each server picks, HTTP/2 if it can.",
           .example = "h2",
           .reload = kNewConnections})
      .key<&Upstream::tls>(upstream_tls(),
                           {.name = "tls",
                            .documentation = "TLS towards the servers; `off` by default.",
                            .example = "{ca: /etc/ssl/own-ca.pem}"})
      .key<&Upstream::balancing>(balancing_keys(),
                                 {.name = "load_balancing",
                                  .documentation = "Which endpoint a request goes to.",
                                  .example = "{policy: least_requests}"})
      .key<&Upstream::ejection>(
          ejection_keys(),
          {.name = "ejection",
           .documentation = "Send nothing to endpoints that fail, for a while; `off` by default.",
           .example = "{failures: 3}"})
      .key<&Upstream::health_check>(
          health_check_keys(),
          {.name = "health_check",
           .documentation = "Ask the endpoints whether they are well, and send nothing to those "
                            "that are not; `off` by default.",
           .example = "{path: /healthz}"})
      .key<&Upstream::adaptive_concurrency>(
          adaptive_concurrency_keys(),
          {.name = "adaptive_concurrency",
           .documentation = "Send no more requests at once than the upstream answers about as fast "
                            "as at rest; 503 for the others. `off` by default.",
           .example = "{max: 200}"})
      .key<&Upstream::admission>(
          admission_keys(),
          {.name = "admission",
           .documentation = "Refuse a share of the requests while the upstream fails too many; "
                            "`off` by default.",
           .example = "{window: 10s}"})
      .group(upstream_http2(), {.name = "http2",
                                .documentation = "HTTP/2 towards the servers.",
                                .example = "{ping_interval: 5m}"})
      .group(upstream_timeouts(), {.name = "timeouts",
                                   .documentation = "Limits in time towards the servers.",
                                   .example = "{connect: 500ms}"})
      .group(upstream_pool(), {.name = "pool",
                               .documentation = "Connections kept for the next request.",
                               .example = "{idle_max: 64}"})
      .group(upstream_dns(), {.name = "dns",
                              .documentation = "How often names are resolved.",
                              .example = "{ttl_max: 1m}"})
      .check(check_upstream);
  add_resilience(*type);
  return type;
}

}  // namespace hangu::config
