// The table of keys. One row a key: where it goes, its type and limits, a sentence, an example that
// is not the default, and when a change takes effect. Defaults are those of the structs in
// config.h.
#include "config/schema.h"

#include <map>

#include "config/checks.h"
#include "config/header_types.h"
#include "config/scalar_types.h"

namespace hangu::config {

namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr ReloadClass kNewConnections = ReloadClass::kNewConnections;
constexpr ReloadClass kRestart = ReloadClass::kRestart;

constexpr uint64_t kKiB = 1024;
constexpr uint64_t kMiB = 1024 * kKiB;
constexpr uint64_t kGiB = 1024 * kMiB;

template <class T>
std::unique_ptr<ObjectType<T>> object(std::string_view name) {
  return std::make_unique<ObjectType<T>>(name);
}

template <class T>
TypePtr<T> number(NumberRange range) {
  return std::make_unique<NumberType<T>>(range);
}

TypePtr<Duration> duration(Duration least, Duration most, std::string_view zero_note = {}) {
  return std::make_unique<DurationType>(DurationRange{least, most, zero_note});
}

template <class T>
TypePtr<T> size(SizeRange range) {
  return std::make_unique<SizeType<T>>(range);
}

TypePtr<bool> on_off() {
  return std::make_unique<SwitchType>();
}

template <class T = std::string>
TypePtr<T> text(const TextRule& rule, TextOptions options = {}) {
  return std::make_unique<TextType<T>>(rule, options);
}

template <class T>
TypePtr<T> choice(typename ChoiceType<T>::Choices choices) {
  return std::make_unique<ChoiceType<T>>(std::move(choices));
}

template <class T>
TypePtr<std::vector<T>> list(TypePtr<T> element, ListOptions options) {
  return std::make_unique<ListType<T>>(std::move(element), options);
}

TypePtr<std::vector<Cidr>> networks() {
  return list(text<Cidr>(kCidrRule),
              {.name = "list of networks", .example = "[10.0.0.0/8]", .warn_repeated = true});
}

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

TypePtr<Listener> listener() {
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
           .reload = kNewConnections});
  return type;
}

TypePtr<Upstream> upstream_retry() {
  auto type = object<Upstream>("mapping");
  type->key<&Upstream::retry_attempts>(
      number<uint32_t>({0, 10, {}, "never"}),
      {.name = "attempts",
       .documentation =
           "Further tries of a request when the first failed and it is safe to send it again.",
       .example = "2"});
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
      .check(check_dns);
  return type;
}

TypePtr<Upstream> upstream() {
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
               "address of the name, asked again when its TTL ends), `unix:/run/app.sock`.",
           .example = "[\"127.0.0.1:9000\"]",
           .required = true})
      .group(upstream_timeouts(), {.name = "timeouts",
                                   .documentation = "Limits in time towards the servers.",
                                   .example = "{connect: 500ms}"})
      .group(upstream_pool(), {.name = "pool",
                               .documentation = "Connections kept for the next request.",
                               .example = "{idle_max: 64}"})
      .group(upstream_retry(), {.name = "retry",
                                .documentation = "Sending a request again.",
                                .example = "{attempts: 2}"})
      .group(upstream_dns(), {.name = "dns",
                              .documentation = "How often names are resolved.",
                              .example = "{ttl_max: 1m}"});
  return type;
}

TypePtr<RouteMatch> route_path() {
  auto type = object<RouteMatch>("mapping");
  type->key<&RouteMatch::path_exact>(text(kRoutePathRule),
                                     {.name = "exact",
                                      .documentation = "This path and no other. Excludes `prefix`.",
                                      .example = "/health",
                                      .alternative = true})
      .key<&RouteMatch::path_prefix>(
          text(kRoutePathRule),
          {.name = "prefix",
           .documentation =
               "This path and those below it: `/a` matches `/a` and `/a/b`, not `/ab`.",
           .example = "/users"})
      .check(check_route_path);
  return type;
}

TypePtr<RouteMatch> route_match() {
  auto type = object<RouteMatch>("mapping");
  type->key<&RouteMatch::hosts>(
          list(text(kHostRule),
               {.name = "list of hosts", .example = "[api.example.org]", .warn_repeated = true}),
          {.name = "hosts",
           .documentation =
               "Exact hosts, or `*.example.org` for the names below one. Empty: any host.",
           .example = "[api.example.org, \"*.example.com\"]"})
      .group(route_path(), {.name = "path",
                            .documentation = "The normalised path. Without it: any.",
                            .example = "{prefix: /users}"})
      .key<&RouteMatch::methods>(
          list(text(kMethodRule),
               {.name = "list of methods", .example = "[GET, POST]", .warn_repeated = true}),
          {.name = "methods",
           .documentation = "Request methods. Empty: any.",
           .example = "[GET, POST]"});
  return type;
}

TypePtr<HeaderEdit> header_edit() {
  auto type = object<HeaderEdit>("mapping");
  type->key<&HeaderEdit::set>(
          std::make_unique<HeaderFieldsType>(false),
          {.name = "set",
           .documentation =
               "Fields to set; each replaces every field of its name. A value may contain "
               "`${VARIABLE}` or be `file:/path`, and is then secret.",
           .example = "{x-gateway: hangu}"})
      .key<&HeaderEdit::add>(std::make_unique<HeaderFieldsType>(true),
                             {.name = "add",
                              .documentation = "Fields to append to those that are there.",
                              .example = "{x-hop: [a, b]}"})
      .key<&HeaderEdit::remove>(
          list(text(kHeaderNameRule), {.name = "list of field names", .example = "[x-debug]"}),
          {.name = "remove",
           .documentation = "Fields to remove, before `set` and `add`.",
           .example = "[x-debug]"});
  return type;
}

void add_route_times(ObjectType<Route>& type) {
  type.key<&Route::timeout>(duration(milliseconds(1), hours(24), "none"),
                            {.name = "timeout",
                             .documentation = "From the end of the request to the head of the "
                                              "response, retries included; then 504.",
                             .example = "5s"})
      .key<&Route::stream_idle_timeout>(
          duration(milliseconds(10), hours(24)),
          {.name = "stream_idle_timeout",
           .documentation =
               "Longest time without a byte in either direction; then 504, or the stream is "
               "ended if the response has begun.",
           .example = "1m"})
      .key<&Route::tunnel_idle_timeout>(
          duration(milliseconds(10), hours(24 * 7)),
          {.name = "tunnel_idle_timeout",
           .documentation = "The same for WebSocket and other upgraded connections.",
           .example = "1h"})
      .key<&Route::body_bytes_max>(size<uint64_t>({1, 1024 * kGiB, "no limit"}),
                                   {.name = "body_max",
                                    .documentation = "Largest request body; beyond it 413.",
                                    .example = "1MiB"});
}

TypePtr<Route> route() {
  auto type = object<Route>("route");
  type->key<&Route::name>(text(kNameRule),
                          {.name = "name",
                           .documentation = "Unique name, for logs, metrics and `hangu explain`.",
                           .example = "users",
                           .required = true})
      .key<&Route::match>(
          route_match(),
          {.name = "match",
           .documentation = "What a request must be; without it: every request. The most "
                            "specific route wins, whatever the order in this file; of "
                            "equals the first.",
           .example = "{path: {prefix: /users}}"})
      .key<&Route::upstream>(std::make_unique<UpstreamRefType>(),
                             {.name = "upstream",
                              .documentation = "Where requests go.",
                              .example = "users",
                              .required = true});
  add_route_times(*type);
  type->key<&Route::upgrades>(
          on_off(),
          {.name = "upgrades",
           .documentation = "Let `Upgrade` requests (WebSocket) through; else the field is "
                            "dropped.",
           .example = "false"})
      .key<&Route::preserve_host>(
          on_off(),
          {.name = "preserve_host",
           .documentation = "Forward the client's Host; else the upstream sees the name of its "
                            "endpoint.",
           .example = "false"})
      .key<&Route::request_headers>(
          header_edit(), {.name = "request_headers",
                          .documentation = "Edits of the request on its way to the upstream.",
                          .example = "{remove: [x-debug]}"})
      .key<&Route::response_headers>(
          header_edit(), {.name = "response_headers",
                          .documentation = "Edits of the response on its way to the client.",
                          .example = "{remove: [server]}"});
  return type;
}

/// The mapping, or `off`; a mapping switches the log on.
class AccessLogType final : public TypeOf<AccessLog> {
 public:
  AccessLogType()
      : mapping_("mapping, or `off`") {
    mapping_
        .key<&AccessLog::path>(
            text(kFilePathRule),
            {.name = "path",
             .documentation = "File to append to, one record a request; `-` is standard output.",
             .example = "/var/log/hangu/access.log"})
        .key<&AccessLog::queue_bytes>(
            size<uint64_t>({64 * kKiB, 1 * kGiB}),
            {.name = "queue",
             .documentation =
                 "Records waiting to be written, per worker; beyond it they are dropped and "
                 "counted.",
             .example = "1MiB",
             .reload = kRestart});
  }

  void read(Reader& reader, const Node& node, void* out) const override {
    auto& log = *static_cast<AccessLog*>(out);
    if (node.kind == Node::Kind::kScalar) {
      const std::optional<Scalar> scalar = reader.scalar(node);
      const std::optional<bool> on = scalar ? parse_switch(scalar->text) : std::nullopt;
      if (on) {
        log.enabled = *on;
      } else if (scalar) {
        reader.error(node.mark, wrong_type("`off` or a mapping", "{path: \"-\"}", node));
      }
      return;
    }
    log.enabled = node.kind == Node::Kind::kMapping;
    mapping_.read(reader, node, out);
  }

  Value to_value(const Config& config, const void* value) const override {
    const bool enabled = static_cast<const AccessLog*>(value)->enabled;
    return enabled ? mapping_.to_value(config, value) : Value::scalar("off");
  }

  std::string name() const override { return mapping_.name(); }

  std::string schema() const override { return "\"enum\":[true,false,\"on\",\"off\"]"; }

  const Fields* fields() const override { return mapping_.fields(); }

 private:
  ObjectType<AccessLog> mapping_;
};

TypePtr<Admin> admin() {
  auto type = object<Admin>("mapping");
  type->key<&Admin::unix_path>(text(kSocketPathRule),
                               {.name = "socket",
                                .documentation = "Unix socket of the admin API and of the `hangu` "
                                                 "commands.",
                                .example = "/run/hangu/gateway.sock",
                                .reload = kRestart})
      .key<&Admin::tcp_bind>(
          text(kTcpBindRule, {.empty_word = "off"}),
          {.name = "tcp",
           .documentation =
               "The admin API on TCP, too. It has no authentication: loopback only, unless "
               "`allow_remote`.",
           .example = "127.0.0.1:9900",
           .reload = kRestart})
      .key<&Admin::allow_remote>(
          on_off(), {.name = "allow_remote",
                     .documentation = "Accept a `tcp` address that other machines can reach.",
                     .example = "true",
                     .reload = kRestart})
      .check(check_admin);
  return type;
}

TypePtr<Shutdown> shutdown() {
  auto type = object<Shutdown>("mapping");
  type->key<&Shutdown::lb_delay>(
          duration(Duration::zero(), hours(1)),
          {.name = "lb_delay",
           .documentation =
               "After SIGTERM: not ready any more but still accepting, so that load balancers "
               "notice.",
           .example = "10s"})
      .key<&Shutdown::drain_timeout>(
          duration(Duration::zero(), hours(24)),
          {.name = "drain_timeout",
           .documentation = "Then no new connections; what is still open after this is closed.",
           .example = "2m"});
  return type;
}

TypePtr<Buffers> buffers() {
  auto type = object<Buffers>("mapping");
  type->key<&Buffers::receive_bytes_max>(size<uint64_t>({4 * kMiB, 64 * kGiB}),
                                         {.name = "receive_max",
                                          .documentation = "Memory for received data, per worker.",
                                          .example = "128MiB",
                                          .reload = kRestart})
      .key<&Buffers::write_high_watermark>(
          size<uint64_t>({16 * kKiB, 64 * kMiB}),
          {.name = "write_high",
           .documentation = "With more than this waiting for a peer, nothing more is read for it.",
           .example = "512KiB",
           .reload = kNewConnections})
      .key<&Buffers::write_low_watermark>(
          size<uint64_t>({4 * kKiB, 64 * kMiB}),
          {.name = "write_low",
           .documentation = "Reading goes on when less than this is waiting.",
           .example = "32KiB",
           .reload = kNewConnections})
      .check(check_buffers);
  return type;
}

TypePtr<Config> log() {
  auto type = object<Config>("mapping");
  type->key<&Config::log_level>(
      choice<std::string>({{"debug", "debug"},
                           {"info", "info"},
                           {"warning", "warning"},
                           {"error", "error"},
                           {"off", "off"}}),
      {.name = "level",
       .documentation = "Least level of the operators' log on standard error.",
       .example = "warning"});
  return type;
}

void add_process_keys(ObjectType<Config>& type) {
  type.group(std::make_unique<VersionType>(), {.name = "version",
                                               .documentation = "Version of this file's shape.",
                                               .example = "1",
                                               .reload = kRestart,
                                               .required = true})
      .key<&Config::workers>(number<uint32_t>({1, 1024, "auto"}),
                             {.name = "workers",
                              .documentation = "Worker threads; `auto` is one a core.",
                              .example = "4",
                              .reload = kRestart})
      .key<&Config::pin_workers>(on_off(), {.name = "pin_workers",
                                            .documentation = "Bind each worker to a core.",
                                            .example = "false",
                                            .reload = kRestart})
      .key<&Config::event_loop>(
          choice<EventLoopKind>({{"auto", EventLoopKind::kAuto},
                                 {"io_uring", EventLoopKind::kIoUring},
                                 {"epoll", EventLoopKind::kEpoll}}),
          {.name = "event_loop",
           .documentation = "Kernel interface; `auto` takes io_uring where it is allowed.",
           .example = "epoll",
           .reload = kRestart})
      .key<&Config::node>(
          text(kNodeRule, {.empty_word = "auto"}),
          {.name = "node",
           .documentation = "Name of this machine in logs; `auto` is its host name.",
           .example = "gw-1",
           .reload = kRestart})
      .group(
          log(),
          {.name = "log", .documentation = "The operators' log.", .example = "{level: warning}"});
}

std::unique_ptr<Type> build_root() {
  auto type = object<Config>("configuration");
  type->top_level();
  add_process_keys(*type);
  type->key<&Config::listeners>(
          list<Listener>(listener(), {.name = "list of listeners",
                                      .example = "[{name: web, bind: \"[::]:8080\"}]",
                                      .names = "listeners",
                                      .at_least_one = true}),
          {.name = "listeners",
           .documentation = "Where clients connect. Each serves all routes.",
           .example = "[{name: web, bind: \"[::]:8080\"}]",
           .required = true})
      .key<&Config::upstreams>(
          list<Upstream>(upstream(), {.name = "list of upstreams",
                                      .example = "[{name: users, endpoints: [\"127.0.0.1:9000\"]}]",
                                      .names = "upstreams"}),
          {.name = "upstreams",
           .documentation = "Where requests are sent.",
           .example = "[{name: users, endpoints: [\"127.0.0.1:9000\"]}]"})
      .key<&Config::routes>(list<Route>(route(), {.name = "list of routes",
                                                  .example = "[{name: users, upstream: users}]",
                                                  .names = "routes"}),
                            {.name = "routes",
                             .documentation = "Which request goes to which upstream.",
                             .example = "[{name: users, upstream: users}]"})
      .key<&Config::access_log>(std::make_unique<AccessLogType>(),
                                {.name = "access_log",
                                 .documentation = "One record a request; `off` by default.",
                                 .example = "{path: \"-\"}"})
      .key<&Config::admin>(admin(), {.name = "admin",
                                     .documentation = "The admin API.",
                                     .example = "{tcp: \"127.0.0.1:9900\"}"})
      .key<&Config::shutdown>(shutdown(), {.name = "shutdown",
                                           .documentation = "How the process ends.",
                                           .example = "{lb_delay: 10s}"})
      .key<&Config::buffers>(buffers(), {.name = "buffers",
                                         .documentation = "Memory limits and back-pressure.",
                                         .example = "{receive_max: 128MiB}"});
  return type;
}

using Places = std::multimap<std::string, std::string, std::less<>>;

void collect_places(const Type& type, const std::string& path, Places& out) {
  if (type.element() != nullptr) {
    collect_places(*type.element(), path + "[]", out);
  }
  if (type.fields() == nullptr) {
    return;
  }
  for (const Key& key : type.fields()->keys()) {
    const std::string place = path + (path.empty() ? "" : ".") + std::string(key.row.name);
    out.emplace(key.row.name, place);
    collect_places(*key.type, place, out);
  }
}

}  // namespace

const Type& root_type() {
  static const std::unique_ptr<Type> kRoot = build_root();
  return *kRoot;
}

std::string places_of_key(std::string_view name) {
  static const Places kPlaces = [] {
    Places places;
    collect_places(root_type(), "", places);
    return places;
  }();
  std::string out;
  const auto [first, last] = kPlaces.equal_range(name);
  for (auto at = first; at != last; ++at) {
    out += (out.empty() ? "" : ", ") + at->second;
  }
  return out;
}

}  // namespace hangu::config
