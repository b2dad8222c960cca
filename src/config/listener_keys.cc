// The keys of one of `listeners`. See schema.cc.
#include "config/keys.h"
#include "config/tls_keys.h"

namespace hangu::config {
namespace {

TypePtr<Listener> listener_timeouts() {
  auto type = object<Listener>("mapping");
  type->key<&Listener::timeouts, &ClientTimeouts::header>(
          duration(milliseconds(100), hours(1)),
          {.name = "header",
           .documentation = "From the first byte of a request head to its end; then 408.",
           .example = "5s",
           .reload = kNewConnections})
      .key<&Listener::timeouts, &ClientTimeouts::body_idle>(
          duration(milliseconds(100), hours(24)),
          {.name = "body_idle",
           .documentation = "Longest pause between two pieces of a request body; then 408.",
           .example = "1m",
           .reload = kNewConnections})
      .key<&Listener::timeouts, &ClientTimeouts::idle>(
          duration(milliseconds(100), hours(24)),
          {.name = "idle",
           .documentation = "How long a kept-alive connection may wait for its next request.",
           .example = "2m",
           .reload = kNewConnections})
      .key<&Listener::timeouts, &ClientTimeouts::write_idle>(
          duration(milliseconds(100), hours(24)),
          {.name = "write_idle",
           .documentation =
               "How long a client may take nothing of what is sent to it; then the connection "
               "is closed.",
           .example = "1m",
           .reload = kNewConnections});
  return type;
}

TypePtr<Listener> listener_limits() {
  auto type = object<Listener>("mapping");
  type->key<&Listener::limits, &HeadLimits::request_line_bytes>(
          size<uint32_t>({256, 64 * kKiB}),
          {.name = "request_line",
           .documentation = "Longest request line; beyond it 414.",
           .example = "16KiB",
           .reload = kNewConnections})
      .key<&Listener::limits, &HeadLimits::header_line_bytes>(
          size<uint32_t>({256, 64 * kKiB}),
          {.name = "header_line",
           .documentation = "Longest single header line; beyond it 431.",
           .example = "8KiB",
           .reload = kNewConnections})
      .key<&Listener::limits, &HeadLimits::headers_bytes>(
          size<uint32_t>({1 * kKiB, 64 * kKiB - 256}),
          {.name = "headers",
           .documentation = "Most bytes of a whole request head; beyond it 431.",
           .example = "32KiB",
           .reload = kNewConnections})
      .key<&Listener::limits, &HeadLimits::headers_count>(
          number<uint32_t>({8, 1000}),
          {.name = "headers_count",
           .documentation = "Most header fields of a request; beyond it 431.",
           .example = "64",
           .reload = kNewConnections})
      .key<&Listener::requests_per_connection_max>(
          number<uint64_t>({0, 1'000'000'000, {}, "no limit"}),
          {.name = "requests_per_connection",
           .documentation = "After so many requests a connection is closed in an orderly way.",
           .example = "10000",
           .reload = kNewConnections});
  return type;
}

TypePtr<Listener> listener_path() {
  auto type = object<Listener>("mapping");
  type->key<&Listener::merge_slashes>(on_off(), {.name = "merge_slashes",
                                                 .documentation = "Read `//` in a path as `/`.",
                                                 .example = "false"})
      .key<&Listener::encoded_slash>(
          choice<EncodedSlashPolicy>(
              {{"reject", EncodedSlashPolicy::kReject}, {"keep", EncodedSlashPolicy::kKeep}}),
          {.name = "encoded_slash",
           .documentation = "`%2F` and `%5C` in a path: answer 400, or keep them as they are.",
           .example = "keep"})
      .key<&Listener::forward_path>(
          choice<ForwardPath>(
              {{"normalised", ForwardPath::kNormalised}, {"original", ForwardPath::kOriginal}}),
          {.name = "forward",
           .documentation =
               "Which form of the path the upstream sees. Routes always match the normalised "
               "one.",
           .example = "original"});
  return type;
}

TypePtr<Listener> listener_proxy_protocol() {
  auto type = object<Listener>("mapping");
  type->key<&Listener::proxy_protocol_from>(
      networks(),
      {.name = "from",
       .documentation =
           "Peers that must begin with a PROXY protocol header (v1 or v2). From all others "
           "such a header is refused.",
       .example = "[10.0.0.0/8]",
       .reload = kNewConnections});
  return type;
}

TypePtr<Listener> listener_http2() {
  auto type = object<Listener>("mapping");
  type->key<&Listener::http2, &Http2Options::streams_max>(
          number<uint32_t>({1, 65535}),
          {.name = "streams_max",
           .documentation =
               "Requests at once on one connection (SETTINGS_MAX_CONCURRENT_STREAMS); further ones "
               "are refused with REFUSED_STREAM.",
           .example = "256",
           .reload = kNewConnections})
      .key<&Listener::http2, &Http2Options::stream_window_bytes>(
          size<uint32_t>({64 * kKiB, 16 * kMiB}),
          {.name = "stream_window",
           .documentation = "Bytes of a request body that may wait for a slow upstream.",
           .example = "1MiB",
           .reload = kNewConnections})
      .key<&Listener::http2, &Http2Options::connection_window_bytes>(
          size<uint32_t>({64 * kKiB, 256 * kMiB}),
          {.name = "connection_window",
           .documentation = "The same for all requests of a connection together.",
           .example = "4MiB",
           .reload = kNewConnections})
      .key<&Listener::http2, &Http2Options::continuations_max>(
          number<uint32_t>({0, 1024}),
          {.name = "continuations_max",
           .documentation =
               "CONTINUATION frames behind one HEADERS; beyond it the connection is closed.",
           .example = "4",
           .reload = kNewConnections})
      .key<&Listener::http2, &Http2Options::frame_budget>(
          number<uint32_t>({50, 1'000'000}),
          {.name = "frame_budget",
           .documentation =
               "Frames that cost work and bring nothing (resets, PING, SETTINGS, PRIORITY, empty "
               "DATA, unknown types and others) that a connection may send at once; beyond it the "
               "connection is closed with ENHANCE_YOUR_CALM. A reset costs 2, a stream in error 5. "
               "Response bytes that the client takes earn some back.",
           .example = "2000",
           .reload = kNewConnections})
      .key<&Listener::http2, &Http2Options::frame_budget_per_second>(
          number<uint32_t>({1, 1'000'000}),
          {.name = "frame_budget_per_second",
           .documentation = "How many of such frames a connection may send in the long run.",
           .example = "500",
           .reload = kNewConnections})
      .key<&Listener::http2, &Http2Options::idle_timeout>(
          duration(milliseconds(100), hours(24)),
          {.name = "idle_timeout",
           .documentation = "How long a connection may stay open without a request.",
           .example = "1m",
           .reload = kNewConnections});
  return type;
}

}  // namespace

TypePtr<Listener> listener_keys() {
  auto type = object<Listener>("listener");
  type->key<&Listener::name>(text(kNameRule),
                             {.name = "name",
                              .documentation = "Unique name, for logs and metrics.",
                              .example = "web",
                              .required = true})
      .key<&Listener::bind>(
          text<BindAddress>(kBindRule),
          {.name = "bind",
           .documentation =
               "Address to listen on: `[::]:8080` (IPv4 and IPv6), `127.0.0.1:8080`, or "
               "`unix:/path`. A change opens the new address and stops accepting on the old; "
               "open connections stay.",
           .example = "\"[::]:8080\"",
           .required = true})
      .key<&Listener::backlog>(
          number<uint32_t>({1, 65535}),
          {.name = "backlog",
           .documentation = "Connections the kernel may hold that were not accepted yet.",
           .example = "1024",
           .reload = kRestart})
      .key<&Listener::connections_max>(
          number<uint32_t>({0, 10'000'000, {}, "bounded by the file descriptors alone"}),
          {.name = "connections_max",
           .documentation = "Most open client connections of this listener.",
           .example = "50000",
           .reload = kNewConnections})
      .key<&Listener::trusted_proxies>(
          networks(),
          {.name = "trusted_proxies",
           .documentation =
               "Networks whose `X-Forwarded-*`, `Forwarded`, `X-Request-Id` and `traceparent` "
               "are believed. From all others these fields are dropped.",
           .example = "[10.0.0.0/8]",
           .reload = kNewConnections})
      .group(listener_proxy_protocol(),
             {.name = "proxy_protocol",
              .documentation = "PROXY protocol of a load balancer in front.",
              .example = "{from: [10.0.0.0/8]}"})
      .key<&Listener::protocols>(
          list(choice<Protocol>({{"h2", Protocol::kHttp2}, {"http/1.1", Protocol::kHttp1}}),
               {.name = "list of protocols", .example = "[h2, http/1.1]", .at_least_one = true}),
          {.name = "protocols",
           .documentation =
               "What is spoken here. Without TLS, `h2` is HTTP/2 with prior knowledge (h2c); "
               "`Upgrade: h2c` is ignored.",
           .example = "[http/1.1]",
           .reload = kNewConnections})
      .key<&Listener::tls>(listener_tls(),
                           {.name = "tls",
                            .documentation = "TLS towards the client; `off` by default.",
                            .example = "{certificates: [{cert: a.crt, key: a.key}]}"})
      .group(listener_http2(), {.name = "http2",
                                .documentation = "HTTP/2 towards the client.",
                                .example = "{streams_max: 256}"})
      .group(listener_timeouts(), {.name = "timeouts",
                                   .documentation = "Limits in time towards the client.",
                                   .example = "{idle: 2m}"})
      .group(listener_limits(), {.name = "limits",
                                 .documentation = "Limits in size of what a client may send.",
                                 .example = "{headers: 32KiB}"})
      .group(listener_path(), {.name = "path",
                               .documentation = "How request paths are normalised and forwarded.",
                               .example = "{merge_slashes: false}"})
      .key<&Listener::underscores>(
          choice<UnderscorePolicy>(
              {{"reject", UnderscorePolicy::kReject}, {"allow", UnderscorePolicy::kAllow}}),
          {.name = "underscore_headers",
           .documentation =
               "Header names with `_`, which many backends mistake for `-`: answer 400, or let "
               "them through.",
           .example = "allow",
           .reload = kNewConnections})
      .key<&Listener::unknown_host_status>(
          choice<uint32_t>({{"404", 404U}, {"421", 421U}}),
          {.name = "unknown_host",
           .documentation = "Status for a host that no route names.",
           .example = "421"});
  return type;
}

}  // namespace hangu::config
