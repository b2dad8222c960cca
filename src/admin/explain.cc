#include "hangu/admin/explain.h"

#include <algorithm>
#include <array>
#include <optional>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "hangu/admin/json.h"
#include "hangu/admin/query.h"
#include "hangu/base/error.h"
#include "hangu/buffer/arena.h"
#include "hangu/config/duration.h"
#include "hangu/config/print.h"
#include "hangu/config/size.h"
#include "hangu/http/host.h"
#include "hangu/http/local_reply.h"
#include "hangu/http/path.h"
#include "hangu/policy/cors.h"
#include "hangu/policy/path_rewrite.h"
#include "hangu/policy/path_substitution.h"
#include "hangu/policy/route_table.h"

#include "admin/actions_json.h"
#include "admin/explain_split.h"

namespace hangu::admin {
namespace {

namespace json = boost::json;
using policy::RouteOutcome;

/// The request as routing sees it.
struct Target {
  Url url;
  std::string host;        // of the Host field or the URL; lower case, no port
  std::string path;        // normalised
  std::string path_error;  // why there is none
  bool wants_upgrade = false;
  std::string bad_header;  // a field that the listener refuses
};

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](char byte) {
    return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte + 32) : byte;
  });
  return out;
}

std::string_view trim(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  const size_t last = text.find_last_not_of(" \t");
  return first == std::string_view::npos ? std::string_view()
                                         : text.substr(first, last - first + 1);
}

bool is_method(std::string_view method) {
  return !method.empty() && std::all_of(method.begin(), method.end(), [](char byte) {
    return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') || byte == '-' ||
           byte == '_';
  });
}

/// The listener whose port the URL has; the first when none or several have.
const config::Listener* listener_for(const config::Config& config, uint16_t port) {
  const std::string ending = fmt::format(":{}", port);
  for (const config::Listener& listener : config.listeners) {
    if (listener.bind.text.ends_with(ending)) {
      return &listener;
    }
  }
  return config.listeners.empty() ? nullptr : &config.listeners.front();
}

Result<void, std::string> read_headers(const std::vector<std::string>& headers,
                                       const config::Listener* listener, Target& target) {
  for (const std::string& header : headers) {
    const size_t colon = header.find(':');
    const std::string name = lower(trim(std::string_view(header).substr(0, colon)));
    if (colon == std::string::npos || name.empty()) {
      return Failure<std::string>{
          fmt::format("\"{}\" is not a header: write \"Name: value\"", header)};
    }
    const std::string_view value = trim(std::string_view(header).substr(colon + 1));
    if (name == "host") {
      const auto authority = http::parse_authority(value);
      if (!authority) {
        return Failure<std::string>{fmt::format("\"{}\" is not a host", value)};
      }
      target.host = lower(authority->host);
    }
    target.wants_upgrade = target.wants_upgrade || name == "upgrade";
    const bool refuses =
        listener != nullptr && listener->underscores == config::UnderscorePolicy::kReject;
    if (refuses && name.find('_') != std::string::npos) {
      target.bad_header = name;
    }
  }
  return {};
}

/// The header fields of the request, as the route table wants them; the client is who
/// X-Forwarded-For says.
class AskedFields {
 public:
  explicit AskedFields(const std::vector<std::string>& headers) {
    headers_.reset(arena_);
    for (const std::string& header : headers) {
      const size_t colon = header.find(':');
      const std::string_view name =
          arena_.copy(lower(trim(std::string_view(header).substr(0, colon))));
      const std::string_view value = arena_.copy(trim(std::string_view(header).substr(colon + 1)));
      static_cast<void>(headers_.add(name, value));
    }
  }

  const http::HeaderBlock& headers() const { return headers_; }

  policy::RequestFacts facts(const Target& target) const {
    const std::string_view forwarded = headers_.value(http::HeaderName::kXForwardedFor);
    return {.headers = &headers_,
            .query = target.url.query,
            .client_ip = trim(forwarded.substr(0, forwarded.find(',')))};
  }

 private:
  buffer::BlockPool blocks_{{.block_bytes = 64 * 1024, .blocks_max = 4}};
  buffer::Arena arena_{blocks_, blocks_};
  http::HeaderBlock headers_;
};

void normalise(const config::Listener* listener, Target& target) {
  buffer::BlockPool blocks({.block_bytes = 64 * 1024, .blocks_max = 4});
  buffer::Arena arena(blocks, blocks);
  http::PathOptions options;
  if (listener != nullptr) {
    options.merge_slashes = listener->merge_slashes;
    options.encoded_slash = listener->encoded_slash == config::EncodedSlashPolicy::kKeep
                                ? http::EncodedSlash::kKeep
                                : http::EncodedSlash::kReject;
  }
  const auto path = http::normalise_path(target.url.path, arena, options);
  if (path) {
    target.path = std::string(*path);
  } else {
    target.path_error = path.error().detail;
  }
}

json::array texts(const std::vector<std::string>& list) {
  json::array all;
  for (const std::string& each : list) {
    all.emplace_back(each);
  }
  return all;
}

json::value wanted_json(const config::FieldMatch& field) {
  switch (field.how) {
    case config::ValueMatch::kExact: return json::value(field.value);
    case config::ValueMatch::kPrefix: return json::object{{"prefix", field.value}};
    case config::ValueMatch::kRegex: return json::object{{"regex", field.value}};
    case config::ValueMatch::kAny: break;
  }
  return json::value("*");
}

json::object match_json(const config::RouteMatch& match) {
  json::object out;
  if (!match.hosts.empty()) {
    out["hosts"] = texts(match.hosts);
  }
  if (!match.path_exact.empty()) {
    out["path_exact"] = match.path_exact;
  }
  if (!match.path_template.empty()) {
    out["path_template"] = match.path_template;
  }
  if (!match.path_prefix.empty()) {
    out["path_prefix"] = match.path_prefix;
  }
  if (!match.path_regex.empty()) {
    out["path_regex"] = match.path_regex;
  }
  if (!match.methods.empty()) {
    out["methods"] = texts(match.methods);
  }
  for (const auto& [key, fields] :
       {std::pair("headers", &match.headers), std::pair("query", &match.query),
        std::pair("cookies", &match.cookies)}) {
    json::object wanted;
    for (const config::FieldMatch& field : *fields) {
      wanted[field.name] = wanted_json(field);
    }
    if (!wanted.empty()) {
      out[key] = std::move(wanted);
    }
  }
  if (!match.clients.empty()) {
    json::array networks;
    for (const config::Cidr& network : match.clients) {
      networks.emplace_back(network.text);
    }
    out["clients"] = std::move(networks);
  }
  return out;
}

json::array candidates_json(const config::Config& config, const policy::RouteTable& table,
                            std::string_view method, const AskedFields& asked,
                            const Target& target) {
  json::array all;
  for (const auto& candidate :
       table.explain(target.host, target.path, method, asked.facts(target))) {
    const config::Route& route = config.routes[candidate.route];
    all.push_back({{"route", route.name},
                   {"match", match_json(route.match)},
                   {"matched", candidate.matched},
                   {"chosen", candidate.chosen},
                   {"reason", json::string(candidate.reason)}});
  }
  return all;
}

json::array fields_json(const std::vector<config::HeaderEdit::Field>& fields) {
  json::array all;
  for (const config::HeaderEdit::Field& field : fields) {
    all.push_back({{"name", field.name}, {"value", field.secret ? "***" : field.value}});
  }
  return all;
}

json::object edit_json(const config::HeaderEdit& edit) {
  return {{"remove", texts(edit.remove)},
          {"set", fields_json(edit.set)},
          {"set_if_absent", fields_json(edit.set_if_absent)},
          {"add", fields_json(edit.add)}};
}

/// What is set beyond the defaults, in words.
json::array resilience_json(const config::Upstream& upstream) {
  json::array all;
  const config::UpstreamLimits& limits = upstream.limits;
  const auto add_limit = [&](uint32_t max, std::string_view of) {
    if (max != 0 && limits.mode != config::Mode::kOff) {
      all.emplace_back(fmt::format("at most {} {}", max, of));
    }
  };
  add_limit(limits.requests_max, "requests at once");
  add_limit(limits.pending_max, "requests waiting for a connection");
  add_limit(limits.connections_max, "connections");
  add_limit(limits.endpoint_connections_max, "connections to an endpoint");
  if (upstream.queue.max != 0) {
    all.emplace_back(fmt::format("{} more wait up to {}", upstream.queue.max,
                                 config::format_duration(upstream.queue.timeout)));
  }
  if (upstream.circuit_breaker.enabled && upstream.circuit_breaker.mode != config::Mode::kOff) {
    all.emplace_back("circuit breaker");
  }
  if (const config::Hedging& hedging = upstream.hedging;
      hedging.enabled && hedging.mode != config::Mode::kOff) {
    const std::string after = hedging.after.percentile != 0
                                  ? fmt::format("p{}", hedging.after.percentile)
                                  : config::format_duration(hedging.after.fixed);
    all.emplace_back(fmt::format("a second endpoint is asked after {}", after));
  }
  return all;
}

std::string_view priority_text(config::Priority priority) {
  switch (priority) {
    case config::Priority::kLow: return "low";
    case config::Priority::kNormal: return "normal";
    case config::Priority::kHigh: return "high";
  }
  return "";
}

json::object upstream_json(const config::Upstream& upstream, const server::GatewayStatus* live) {
  json::array endpoints;
  if (live == nullptr) {
    for (const config::Endpoint& endpoint : upstream.endpoints) {
      endpoints.emplace_back(control::numeric_endpoint(endpoint).address);
    }
  } else {
    const auto found = std::find_if(
        live->upstreams.begin(), live->upstreams.end(),
        [&](const server::UpstreamStatus& each) { return each.name == upstream.name; });
    for (size_t i = 0; found != live->upstreams.end() && i < found->endpoints.size(); ++i) {
      endpoints.emplace_back(found->endpoints[i].address);
    }
  }
  json::object all{{"name", upstream.name},
                   {"endpoints", endpoints},
                   {"resolved", live != nullptr},
                   {"connect_timeout", config::format_duration(upstream.connect_timeout)},
                   {"retry_attempts", upstream.retry.attempts},
                   {"resilience", resilience_json(upstream)}};
  if (upstream.discovery.enabled()) {
    all["discovery"] = control::source_name(upstream.discovery);
  }
  return all;
}

std::string limit_text(Duration limit) {
  return limit == Duration::zero() ? "none" : config::format_duration(limit);
}

std::string_view scope_text(const config::RateLimit& limit) {
  switch (limit.scope) {
    case config::RateScope::kShard: return "shard";
    case config::RateScope::kNode: return "node";
    case config::RateScope::kCluster: return "cluster";
  }
  return "";
}

json::object rate_limit_json(const config::RateLimit& limit) {
  json::array key;
  for (const config::KeyPart& part : limit.key) {
    key.emplace_back(config::format_key_part(part));
  }
  const bool quota = limit.quota.limit != 0;
  const std::string_view per = limit.quota.per == config::QuotaPeriod::kDay ? "day" : "month";
  return {{"name", limit.name},
          {"limit",
           quota ? fmt::format("{}/{}", limit.quota.limit, per) : config::format_rate(limit.rate)},
          {"key", std::move(key)},
          {"scope", json::string(scope_text(limit))}};
}

/// Of a route that needs no upstream.
void add_answer(const config::Route& route, json::object& out) {
  const bool redirect = route.redirect.enabled;
  out["reply"] = {
      {"status", redirect ? route.redirect.status : route.respond.status},
      {"code", redirect ? "route.redirect" : "route.respond"},
      {"detail", redirect ? "the route sends clients elsewhere" : "the route answers by itself"}};
}

/// Who shares the requests and who gets this one; where there is no saying, kNoUpstream.
uint32_t add_split(const config::Config& config, const config::Route& route,
                   const AskedRequest& request, const Live& live, json::object& out) {
  json::array shares;
  for (const config::Split::Part& part : route.split.upstreams) {
    shares.push_back(json::value{{"upstream", config.upstreams[part.upstream].name},
                                 {"weight", part.weight},
                                 {"version", part.version}});
  }
  out["split"] = std::move(shares);
  std::optional<uint32_t> release;
  if (route.split.ramp.enabled) {
    const ReleaseShown shown = release_of(config, route, live.releases);
    release = shown.share;
    out["release"] = {{"upstream", config.upstreams[route.split.ramp.to].name},
                      {"state", shown.state},
                      {"share", control::share_text(shown.share)}};
  }
  const SplitChoice choice = choose_share(config, route, request, release);
  const uint32_t upstream =
      choice.share ? route.split.upstreams[*choice.share].upstream : config::kNoUpstream;
  out["split_choice"] = {
      {"upstream", choice.share ? config.upstreams[upstream].name : std::string()},
      {"version", choice.share ? route.split.upstreams[*choice.share].version : std::string()},
      {"reason", choice.reason}};
  return upstream;
}

void add_captures(const policy::Captures& captures, json::object& out) {
  json::object all;
  for (size_t i = 0; i < captures.values.size(); ++i) {
    all[captures.names[i]] = json::string(captures.values[i]);
  }
  if (!all.empty()) {
    out["captures"] = std::move(all);
  }
}

std::string filled_in(const config::Route& route, const std::string& path,
                      const policy::Captures& captures) {
  const policy::PathMaker maker(path, config::capture_names(route.match));
  std::string out(maker.size(captures.values), ' ');
  maker.write(captures.values, out.data());
  return out;
}

/// May have a query.
std::string rewritten_path(const config::Route& route, const std::string& asked,
                           const policy::Captures& captures) {
  const config::Rewrite& rewrite = route.rewrite;
  if (rewrite.regex.empty()) {
    const std::string path = filled_in(route, rewrite.path, captures);
    const policy::PathParts parts = policy::rewrite_path(route.match, path, rewrite.prefix, asked);
    return std::string(parts.head) + std::string(parts.tail);
  }
  const auto substitution = policy::PathSubstitution::compile(rewrite.regex, rewrite.substitution);
  policy::PathSubstitution::Parts parts;
  if (!substitution || !substitution->find(asked, parts)) {
    return asked;
  }
  std::string path(substitution->bytes_max(asked, parts), '\0');
  path.resize(static_cast<size_t>(substitution->write(asked, parts, path.data()) - path.data()));
  return path;
}

template <class Limit>
json::array names_of(const std::vector<uint32_t>& numbers, const std::vector<Limit>& limits) {
  json::array names;
  for (const uint32_t number : numbers) {
    names.emplace_back(limits[number].name);
  }
  return names;
}

void add_route(const config::Config& config, const config::Route& route, const Target& target,
               const AskedRequest& request, const Live& live, json::object& out) {
  out["route"] = route.name;
  add_captures(request.captures, out);
  json::array limits;
  for (const uint32_t limit : route.rate_limits) {
    limits.push_back(rate_limit_json(config.rate_limits[limit]));
  }
  out["rate_limits"] = std::move(limits);
  out["concurrency_limits"] = names_of(route.concurrency_limits, config.concurrency_limits);
  out["bandwidth_limits"] = names_of(route.bandwidth_limits, config.bandwidth_limits);
  if (json::array actions = actions_json(config, route); !actions.empty()) {
    out["actions"] = std::move(actions);
  }
  out["priority"] = priority_text(route.priority);
  out["circuit_breaker"] =
      route.circuit_breaker.enabled && route.circuit_breaker.mode != config::Mode::kOff;
  const uint32_t upstream =
      route.split.enabled ? add_split(config, route, request, live, out) : route.upstream;
  if (upstream == config::kNoUpstream) {
    if (!route.split.enabled) {
      add_answer(route, out);
    }
    return;
  }
  out["upstream"] = upstream_json(config.upstreams[upstream], live.gateway);
  out["limits"] = {
      {"timeout", limit_text(route.timeout)},
      {"stream_idle_timeout", limit_text(route.stream_idle_timeout)},
      {"tunnel_idle_timeout", limit_text(route.tunnel_idle_timeout)},
      {"body_max", route.body_bytes_max == 0 ? std::string("none")
                                             : config::format_size(route.body_bytes_max)}};
  const config::Listener* listener = listener_for(config, target.url.port);
  const bool original =
      listener != nullptr && listener->forward_path == config::ForwardPath::kOriginal;
  const std::string path = rewritten_path(route, target.path, request.captures);
  const std::string host = route.preserve_host ? target.host : std::string("the endpoint's");
  const bool rewritten = path != target.path;
  out["forwarded"] = {{"path", original && !rewritten ? target.url.path : path},
                      {"host", route.rewrite.host.empty() ? host : route.rewrite.host},
                      {"upgrade", target.wants_upgrade && route.upgrades}};
  out["request_headers"] = edit_json(route.request_headers);
  out["response_headers"] = edit_json(route.response_headers);
}

void add_reply(const Error& error, std::string_view detail, json::object& out) {
  const http::LocalReply reply = http::local_reply_for(error);
  out["reply"] = {{"status", reply.status},
                  {"code", json::string(reply.code)},
                  {"detail", json::string(detail.empty() ? reply.detail : detail)}};
}

/// With its captures.
void add_match(const config::Config& config, const policy::RouteMatchResult& found,
               const Target& target, AskedRequest request, const Live& live, json::object& out) {
  std::vector<std::string_view> values;
  if (found.captor != nullptr) {
    values.resize(found.captor->captures().size());
    found.captor->capture(request.path, values);
    request.captures = {.names = found.captor->captures(), .values = values};
  }
  add_route(config, config.routes[found.route], target, request, live, out);
}

void add_outcome(const config::Config& config, const policy::RouteTable& table,
                 const Target& target, const AskedRequest& request, const Live& live,
                 json::object& out) {
  const config::Listener* listener = listener_for(config, target.url.port);
  const policy::RouteMatchResult found =
      table.match(request.host, request.path, request.method, request.facts);
  std::array<char, 1024> allow;
  switch (found.outcome) {
    case RouteOutcome::kFound:
      out["outcome"] = "matched";
      add_match(config, found, target, request, live, out);
      return;
    case RouteOutcome::kMethodNotAllowed:
      out["outcome"] = "method_not_allowed";
      add_reply(downstream_error(Errc::kMethodNotAllowed, ""),
                fmt::format("routes here take {}", table.allowed_methods(request.host, request.path,
                                                                         request.facts, allow)),
                out);
      return;
    case RouteOutcome::kNoHost:
      out["outcome"] = "no_host";
      if (listener != nullptr && listener->unknown_host_status == 421) {
        add_reply(downstream_error(Errc::kMisdirected, ""), "no route names the host", out);
        return;
      }
      add_reply(downstream_error(Errc::kNoRoute, ""), "no route names the host", out);
      return;
    case RouteOutcome::kNoRoute:
      out["outcome"] = "no_route";
      add_reply(downstream_error(Errc::kNoRoute, ""), "no route matches", out);
      return;
  }
}

/// What is refused before any route is tried.
bool reject(const ExplainRequest& request, const Target& target, json::object& out) {
  if (request.method == "CONNECT") {
    add_reply(downstream_error(Errc::kNotImplemented, ""), "CONNECT is not for a gateway", out);
  } else if (!target.path_error.empty()) {
    add_reply(downstream_error(Errc::kBadPath, ""), target.path_error, out);
  } else if (!target.bad_header.empty()) {
    add_reply(downstream_error(Errc::kBadHeader, ""),
              fmt::format("header {}: names with _ are refused", target.bad_header), out);
  } else {
    return false;
  }
  out["outcome"] = "rejected";
  return true;
}

}  // namespace

Result<json::object, std::string> explain(const config::Config& config,
                                          const ExplainRequest& request, const Live& live) {
  if (!is_method(request.method)) {
    return Failure<std::string>{fmt::format("\"{}\" is not a method", request.method)};
  }
  auto url = parse_url(request.url);
  if (!url) {
    return Failure<std::string>{fmt::format("\"{}\": {}", request.url, url.error())};
  }
  Target target;
  target.url = std::move(*url);
  target.host = target.url.host;
  const config::Listener* listener = listener_for(config, target.url.port);
  if (auto read = read_headers(request.headers, listener, target); !read) {
    return Failure<std::string>{read.error()};
  }
  normalise(listener, target);

  json::object out;
  out["generation"] = config.generation;
  out["request"] = {{"method", request.method},
                    {"host", target.host},
                    {"path", target.url.path},
                    {"normalised_path", target.path},
                    {"query", target.url.query},
                    {"listener", listener == nullptr ? std::string() : listener->name}};
  if (reject(request, target, out)) {
    return out;
  }
  const policy::RouteTable table(config);
  const AskedFields asked(request.headers);
  const std::string_view preflight =
      policy::preflight_method(http::method_from(request.method), asked.headers());
  const policy::RouteMatchResult found =
      table.match(target.host, target.path, preflight, asked.facts(target));
  const bool answered = !preflight.empty() && found.outcome == RouteOutcome::kFound &&
                        config.routes[found.route].cors.enabled;
  out["candidates"] = candidates_json(
      config, table, answered ? preflight : std::string_view(request.method), asked, target);
  if (answered) {
    const config::Route& route = config.routes[found.route];
    out["outcome"] = "preflight";
    out["route"] = route.name;
    out["actions"] = actions_json(config, route);
    return out;
  }
  add_outcome(config, table, target,
              {.host = target.host,
               .path = target.path,
               .method = request.method,
               .facts = asked.facts(target),
               .captures = {}},
              live, out);
  return out;
}

}  // namespace hangu::admin
