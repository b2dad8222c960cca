// The table of keys. One row a key: where it goes, its type and limits, a sentence, an example that
// is not the default, and when a change takes effect. Defaults are those of the structs in
// config.h.
#include "config/schema.h"

#include <map>

#include "config/admin_keys.h"
#include "config/header_types.h"
#include "config/identity_keys.h"
#include "config/keys.h"
#include "config/resilience_keys.h"
#include "config/route_keys.h"

namespace hangu::config {

namespace {

TypePtr<RouteMatch> route_path() {
  auto type = object<RouteMatch>("mapping");
  type->key<&RouteMatch::path_exact>(text(kRoutePathRule),
                                     {.name = "exact",
                                      .documentation = "This path and no other. One of the four.",
                                      .example = "/health",
                                      .alternative = true})
      .key<&RouteMatch::path_template>(
          text(kPathTemplateRule),
          {.name = "template",
           .documentation =
               "Segments, of which some are captured: `{id}` takes one, `{rest*}` at the end all "
               "that are left, at least one. Captures are for `rewrite.path`, `redirect.path` and "
               "keys (`path:{id}`).",
           .example = "\"/users/{id}/orders/{order}\"",
           .alternative = true})
      .key<&RouteMatch::path_regex>(
          text(kRegexRule),
          {.name = "regex",
           .documentation = "A regular expression (RE2) for the whole path. Its groups are "
                            "captured, by name (`(?P<id>...)`) or number.",
           .example = "\"/v[0-9]+/users\"",
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
           .example = "[GET, POST]"})
      .key<&RouteMatch::headers>(
          std::make_unique<FieldMatchesType>(true),
          {.name = "headers",
           .documentation =
               "Header fields that a request must have, all of them: a value, `*` for any, "
               "`{prefix: v}` or `{regex: \"v[0-9]+\"}` (RE2, of the whole value). A route that "
               "asks for more of them comes before one that asks for fewer.",
           .example = "{x-version: v2}"})
      .key<&RouteMatch::query>(std::make_unique<FieldMatchesType>(false),
                               {.name = "query",
                                .documentation = "The same for parameters of the query, as they "
                                                 "were sent (not decoded).",
                                .example = "{version: \"2\"}"})
      .key<&RouteMatch::cookies>(
          std::make_unique<FieldMatchesType>(false),
          {.name = "cookies", .documentation = "The same for cookies.", .example = "{beta: \"1\"}"})
      .key<&RouteMatch::clients>(
          networks(), {.name = "clients",
                       .documentation = "Networks of which a client must be in one. Empty: any.",
                       .example = "[10.0.0.0/8]"});
  return type;
}

TypePtr<HeaderEdit> header_edit() {
  auto type = object<HeaderEdit>("mapping");
  type->key<&HeaderEdit::set>(
          std::make_unique<HeaderFieldsType>(false),
          {.name = "set",
           .documentation =
               "Fields to set; each replaces every field of its name. A value may contain "
               "`${VARIABLE}` or be `file:/path`, and is then secret; or else have variables of "
               "the request, such as `{client_ip}`: see docs/traffic.md.",
           .example = "{x-gateway: hangu}"})
      .key<&HeaderEdit::set_if_absent>(
          std::make_unique<HeaderFieldsType>(false),
          {.name = "set_if_absent",
           .documentation = "The same, where there is no field of that name.",
           .example = "{cache-control: no-store}"})
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
                                    .example = "1MiB"})
      .key<&Route::response_body_bytes_max>(
          size<uint64_t>({1, 1024 * kGiB, "no limit"}),
          {.name = "response_body_max",
           .documentation = "Largest response body: a longer one is 502, or is cut off when its "
                            "length was not known before.",
           .example = "100MiB"})
      .key<&Route::headers_bytes_max>(
          size<uint32_t>({1 * kKiB, 1 * kMiB, "what the listener takes"}),
          {.name = "headers_max",
           .documentation = "Largest request head: the fields, with the 300 bytes or so that the "
                            "gateway adds; beyond it 431.",
           .example = "8KiB"});
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
      .key<&Route::upstream>(
          std::make_unique<UpstreamRefType>("upstream", "upstreams"),
          {.name = "upstream",
           .documentation = "Where requests go. In its place: `split`, `redirect` or `respond`.",
           .example = "users"});
  add_route_actions(*type);
  add_route_times(*type);
  add_resilience(*type);
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
      .key<&Route::grpc_web>(
          on_off(),
          {.name = "grpc_web",
           .documentation = "Translate calls in gRPC-Web, such as pages in a browser make, to gRPC "
                            "for the upstream, whose `protocol` is `h2`. Other requests pass as "
                            "ever.",
           .example = "on"})
      .key<&Route::authentication>(
          authentication_keys(),
          {.name = "authentication",
           .documentation = "Who may ask at all: clients that prove who they are.",
           .example = "{any: [partners]}",
           .alternative = true})
      .key<&Route::forward_auth>(
          std::make_unique<ForwardAuthRefType>("authorization service", "forward_auths"),
          {.name = "forward_auth",
           .documentation = "The one of `forward_auths` that decides whether a request goes on, "
                            "after `authentication`.",
           .example = "policy",
           .alternative = true})
      .key<&Route::authorization>(authorization_keys(),
                                  {.name = "authorization",
                                   .documentation = "What each of them may do.",
                                   .example = "{allow: [{id: readers, scopes: [read]}]}"})
      .key<&Route::rate_limits>(
          list<uint32_t>(std::make_unique<RateLimitRefType>("rate limit", "rate_limits"),
                         {.name = "list of names", .example = "[per-client]"}),
          {.name = "rate_limits",
           .documentation = "Limits of `rate_limits` that a request has to pass, all of them; one "
                            "that is refused counts in none.",
           .example = "[per-client]"})
      .key<&Route::concurrency_limits>(
          list<uint32_t>(
              std::make_unique<ConcurrencyLimitRefType>("concurrency limit", "concurrency_limits"),
              {.name = "list of names", .example = "[per-client]"}),
          {.name = "concurrency_limits",
           .documentation = "Limits of `concurrency_limits` in which a request needs a place for "
                            "as long as it lasts, all of them and the `rate_limits`, or it is "
                            "refused and counts in none.",
           .example = "[per-client]"})
      .key<&Route::bandwidth_limits>(
          list<uint32_t>(
              std::make_unique<BandwidthLimitRefType>("bandwidth limit", "bandwidth_limits"),
              {.name = "list of names", .example = "[per-client]"}),
          {.name = "bandwidth_limits",
           .documentation = "Limits of `bandwidth_limits` that hold bodies back; the slowest "
                            "decides.",
           .example = "[per-client]"})
      .key<&Route::plugins>(
          list<PluginUse>(plugin_use_keys(),
                          {.name = "list of plugins", .example = "[{use: stamp}]"}),
          {.name = "plugins",
           .documentation = "Plugins of `plugins` that requests pass, in this order, once they are "
                            "admitted; responses pass them the other way round.",
           .example = "[{use: stamp}]"})
      .key<&Route::request_headers>(
          header_edit(), {.name = "request_headers",
                          .documentation = "Edits of the request on its way to the upstream.",
                          .example = "{remove: [x-debug]}"})
      .key<&Route::response_headers>(
          header_edit(), {.name = "response_headers",
                          .documentation = "Edits of the response on its way to the client.",
                          .example = "{remove: [server]}"})
      .key<&Route::audit>(route_audit(),
                          {.name = "audit",
                           .documentation = "Which of its requests get a record in the audit log; "
                                            "`default` is what `audit.requests` says.",
                           .example = "all"})
      .check(check_route);
  return type;
}

/// The mapping, or `off`; a mapping switches the log on.
TypePtr<AccessLog> access_log() {
  auto type = switched<AccessLog>("{path: \"-\"}");
  type->mapping()
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
      .key<&Buffers::compression_bytes_max>(
          size<uint64_t>({0, 64 * kGiB}),
          {.name = "compression_max",
           .documentation = "Memory for the state of responses that are being compressed, per "
                            "worker: 272 KiB (gzip), 1.4 MiB (br or zstd) each with the "
                            "default levels. Beyond it they pass as they are.",
           .example = "64MiB",
           .reload = kRestart})
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
      .key<&Config::state_dir>(
          text(kFilePathRule),
          {.name = "state_dir",
           .documentation = "Directory for what outlives a restart, such as the counts of quotas; "
                            "made when it is needed.",
           .example = "/srv/hangu",
           .reload = kRestart})
      .key<&Config::certificate_alarm>(
          duration(Duration::zero(), hours(24 * 365), "never"),
          {.name = "certificate_alarm",
           .documentation = "How long before the end of a listener's certificate an alarm is "
                            "raised: once a day, in a fleet once a day for all nodes.",
           .example = "30d"})
      .group(
          log(),
          {.name = "log", .documentation = "The operators' log.", .example = "{level: warning}"});
}

std::unique_ptr<Type> build_root() {
  auto type = object<Config>("configuration");
  type->top_level();
  add_process_keys(*type);
  type->key<&Config::listeners>(
          list<Listener>(listener_keys(), {.name = "list of listeners",
                                           .example = "[{name: web, bind: \"[::]:8080\"}]",
                                           .names = "listeners",
                                           .at_least_one = true}),
          {.name = "listeners",
           .documentation = "Where clients connect. Each serves all routes.",
           .example = "[{name: web, bind: \"[::]:8080\"}]",
           .required = true})
      .key<&Config::upstreams>(
          list<Upstream>(upstream_keys(),
                         {.name = "list of upstreams",
                          .example = "[{name: users, endpoints: [\"127.0.0.1:9000\"]}]",
                          .names = "upstreams"}),
          {.name = "upstreams",
           .documentation = "Where requests are sent.",
           .example = "[{name: users, endpoints: [\"127.0.0.1:9000\"]}]"})
      .key<&Config::stores>(
          list<Store>(store_keys(), {.name = "list of stores",
                                     .example = "[{name: shared, url: \"redis://127.0.0.1:6379\"}]",
                                     .names = "stores"}),
          {.name = "stores",
           .documentation = "Redis or Valkey servers by which nodes count together.",
           .example = "[{name: shared, url: \"redis://127.0.0.1:6379\"}]"})
      .key<&Config::consumers>(
          list<Consumer>(
              consumer_keys(),
              {.name = "list of consumers", .example = "[{name: app-1}]", .names = "consumers"}),
          {.name = "consumers",
           .documentation = "Programs and people that the gateway knows by name.",
           .example = "[{name: app-1, groups: [partners]}]"})
      .key<&Config::authenticators>(
          list<Authenticator>(authenticator_keys(), {.name = "list of authenticators",
                                                     .example = "[{name: partners, api_key: on}]",
                                                     .names = "authenticators"}),
          {.name = "authenticators",
           .documentation = "Ways in which a client can prove who it is; routes refer to them.",
           .example = "[{name: partners, api_key: on}]"})
      .key<&Config::forward_auths>(
          list<ForwardAuth>(forward_auth_keys(), {.name = "list of authorization services",
                                                  .example = "[{name: policy, upstream: users}]",
                                                  .names = "forward_auths"}),
          {.name = "forward_auths",
           .documentation = "Authorization services that are asked before a request goes on; "
                            "routes refer to them.",
           .example = "[{name: policy, upstream: users}]"})
      .key<&Config::rate_limits>(
          list<RateLimit>(rate_limit_keys(), {.name = "list of rate limits",
                                              .example = "[{name: per-client, rate: 100/s}]",
                                              .names = "rate_limits"}),
          {.name = "rate_limits",
           .documentation = "How often clients may ask; routes refer to them.",
           .example = "[{name: per-client, rate: 100/s}]"})
      .key<&Config::concurrency_limits>(
          list<ConcurrencyLimit>(concurrency_limit_keys(),
                                 {.name = "list of concurrency limits",
                                  .example = "[{name: per-client, max: 20}]",
                                  .names = "concurrency_limits"}),
          {.name = "concurrency_limits",
           .documentation = "How much clients may ask at once; routes refer to them.",
           .example = "[{name: per-client, max: 20}]"})
      .key<&Config::bandwidth_limits>(
          list<BandwidthLimit>(bandwidth_limit_keys(),
                               {.name = "list of bandwidth limits",
                                .example = "[{name: per-client, response: 1MiB}]",
                                .names = "bandwidth_limits"}),
          {.name = "bandwidth_limits",
           .documentation = "How fast bodies may pass; routes refer to them.",
           .example = "[{name: per-client, response: 1MiB}]"})
      .key<&Config::plugins>(
          list<Plugin>(plugin_keys(), {.name = "list of plugins",
                                       .example = "[{name: stamp, path: /usr/lib/hangu/stamp.so}]",
                                       .names = "plugins"}),
          {.name = "plugins",
           .documentation = "Shared objects with policies of your own; routes refer to them. See "
                            "docs/plugins.md.",
           .example = "[{name: stamp, path: /usr/lib/hangu/stamp.so}]"})
      .key<&Config::routes>(
          shared_list<Route>(route(), {.name = "list of routes",
                                       .example = "[{name: users, upstream: users}]",
                                       .names = "routes"}),
          {.name = "routes",
           .documentation = "Which request goes to which upstream.",
           .example = "[{name: users, upstream: users}]"})
      .key<&Config::config_center>(
          config_center_keys(),
          {.name = "config_center",
           .documentation = "An etcd with more of this file: see docs/fleet.md. `off` by default.",
           .example = "{endpoints: [\"http://127.0.0.1:2379\"]}",
           .reload = kRestart})
      .key<&Config::access_log>(access_log(),
                                {.name = "access_log",
                                 .documentation = "One record a request; `off` by default.",
                                 .example = "{path: \"-\"}"})
      .key<&Config::audit>(audit_keys(),
                           {.name = "audit",
                            .documentation = "The audit log: who did what, chained so that every "
                                             "change shows; `off` by default.",
                            .example = "{path: /var/log/hangu/audit.log}"})
      .key<&Config::compliance>(
          choice<Compliance>({{"none", Compliance::kNone}, {"mlps3", Compliance::kMlps3}}),
          {.name = "compliance",
           .documentation = "Rules that this file is held to. `mlps3` (GB/T 22239 level 3): an "
                            "audit log with signed checkpoints, kept for at least 183 days.",
           .example = "mlps3",
           .reload = kRestart})
      .key<&Config::admin>(admin_keys(), {.name = "admin",
                                          .documentation = "The admin API.",
                                          .example = "{tcp: \"127.0.0.1:9900\"}"})
      .key<&Config::shutdown>(shutdown_keys(), {.name = "shutdown",
                                                .documentation = "How the process ends.",
                                                .example = "{lb_delay: 10s}"})
      .key<&Config::upgrade>(
          upgrade_keys(),
          {.name = "upgrade",
           .documentation = "How the process makes room for its successor (`hangu upgrade`).",
           .example = "{drain_timeout: 1h}"})
      .key<&Config::reload>(
          reload_keys(),
          {.name = "reload",
           .documentation = "What becomes of the connections of a listener that a reload removed.",
           .example = "{drain_timeout: 10m}"})
      .key<&Config::buffers>(buffers(), {.name = "buffers",
                                         .documentation = "Memory limits and back-pressure.",
                                         .example = "{receive_max: 128MiB}"})
      .key<&Config::overload>(
          overload_keys(),
          {.name = "overload",
           .documentation = "What to do when the process has too much to do; `off` by default, "
                            "`on` takes the values below.",
           .example = "on"});
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
