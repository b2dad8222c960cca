#include "hangu/admin/explain.h"

#include <algorithm>
#include <array>
#include <optional>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "hangu/base/error.h"
#include "hangu/config/duration.h"
#include "hangu/config/path_template.h"
#include "hangu/config/size.h"
#include "hangu/policy/cors.h"
#include "hangu/policy/path_rewrite.h"
#include "hangu/policy/path_target.h"
#include "hangu/policy/route_table.h"

#include "admin/actions_json.h"
#include "admin/asked_request.h"
#include "admin/explain_reply.h"
#include "admin/explain_split.h"
#include "admin/explain_upstream.h"

namespace hangu::admin {
namespace {

namespace json = boost::json;
using policy::RouteOutcome;

bool is_method(std::string_view method) {
  return !method.empty() && std::all_of(method.begin(), method.end(), [](char byte) {
    return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') || byte == '-' ||
           byte == '_';
  });
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
                            const AskedRequest& request) {
  json::array all;
  for (const auto& candidate :
       table.explain(request.host, request.path, request.method, request.facts)) {
    const config::Route& route = config.routes[candidate.route];
    all.push_back({{"route", route.name},
                   {"match", match_json(route.match)},
                   {"matched", candidate.matched},
                   {"chosen", candidate.chosen},
                   {"reason", json::string(candidate.reason)}});
  }
  return all;
}

/// Of one route and one request.
class Edits {
 public:
  /// `upstream`: where the request goes, or kNoUpstream.
  Edits(const config::Config& config, const config::Route& route, uint32_t upstream,
        const AskedRequest& request)
      : config_(config),
        route_(route),
        upstream_(upstream),
        request_(request) {}

  json::object json_of(const config::HeaderEdit& edit) const {
    return {{"remove", texts(edit.remove)},
            {"set", fields(edit.set)},
            {"set_if_absent", fields(edit.set_if_absent)},
            {"add", fields(edit.add)}};
  }

 private:
  json::array fields(const std::vector<config::HeaderEdit::Field>& list) const {
    json::array all;
    for (const config::HeaderEdit::Field& field : list) {
      all.push_back({{"name", field.name}, {"value", field.secret ? "***" : value_of(field)}});
    }
    return all;
  }

  std::string value_of(const config::HeaderEdit::Field& field) const {
    const auto text = config::TextTemplate::parse(field.value);
    return field.literal || !text ? field.value
                                  : fill_in(*text, config_, route_, upstream_, request_).text;
  }

  const config::Config& config_;
  const config::Route& route_;
  uint32_t upstream_;
  const AskedRequest& request_;
};

std::string_view priority_text(config::Priority priority) {
  switch (priority) {
    case config::Priority::kLow: return "low";
    case config::Priority::kNormal: return "normal";
    case config::Priority::kHigh: return "high";
  }
  return "";
}

std::string limit_text(Duration limit) {
  return limit == Duration::zero() ? "none" : config::format_duration(limit);
}

std::string bytes_text(uint64_t limit) {
  return limit == 0 ? "none" : config::format_size(limit);
}

/// Empty: nobody watches.
std::string guard_text(const config::ReleaseGuard& guard) {
  if (!guard.enabled || guard.mode == config::Mode::kOff) {
    return "";
  }
  return fmt::format("{} when it is worse{}",
                     guard.action == config::GuardAction::kHold ? "held" : "taken back",
                     mode_text(guard.mode));
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
                      {"share", control::share_text(shown.share)},
                      {"guard", guard_text(route.split.guard)}};
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

/// Path and query that the upstream sees; `original`: the path stays as it was written where no
/// rule changes it.
std::string forwarded_path(const config::Route& route, const Target& target, bool original,
                           const AskedRequest& request) {
  const config::Rewrite& rewrite = route.rewrite;
  if (auto path = substituted(rewrite.regex, rewrite.substitution, request)) {
    return std::move(*path);
  }
  const std::string made = path_with_captures(route, rewrite.path, request.captures);
  const policy::PathParts parts =
      policy::rewrite_path(route.match, made, rewrite.prefix, request.path);
  const std::string path = fmt::format("{}{}", parts.head, parts.tail);
  const std::string_view query = request.facts.query;
  return fmt::format("{}{}{}", original && path == request.path ? target.url.path : path,
                     query.empty() ? "" : "?", query);
}

/// The host that the upstream sees.
std::string forwarded_host(const config::Config& config, const config::Route& route,
                           const AskedRequest& request) {
  const auto text = config::TextTemplate::parse(route.rewrite.host);
  if (route.rewrite.host.empty() || !text) {
    return route.preserve_host ? std::string(request.host) : std::string("the endpoint's");
  }
  // It is made before a split has chosen.
  return fill_in(*text, config, route, route.upstream, request).text;
}

/// A host that variables make and that is none; false: the request goes on.
bool refuse_host(const config::Config& config, const config::Route& route,
                 const AskedRequest& request, json::object& out) {
  const auto text = config::TextTemplate::parse(route.rewrite.host);
  if (!text || !text->has_variables()) {
    return false;
  }
  const FilledText host = fill_in(*text, config, route, route.upstream, request);
  if (!host.whole || policy::is_forward_host(host.text)) {
    return false;
  }
  out["outcome"] = "refused";
  out["reply"] = {
      {"status", 400},
      {"code", "rewrite.host"},
      {"detail", fmt::format("the request makes no host for the upstream: \"{}\"", host.text)}};
  return true;
}

template <class Limit>
json::array names_of(const std::vector<uint32_t>& numbers, const std::vector<Limit>& limits) {
  json::array names;
  for (const uint32_t number : numbers) {
    if (limits[number].mode != config::Mode::kOff) {
      names.emplace_back(limits[number].name);
    }
  }
  return names;
}

/// What the route asks of everybody.
void add_rules(const config::Config& config, const config::Route& route,
               const AskedRequest& request, json::object& out) {
  out["route"] = route.name;
  add_captures(request.captures, out);
  out["rate_limits"] = rate_limits_json(config, route);
  out["concurrency_limits"] = names_of(route.concurrency_limits, config.concurrency_limits);
  out["bandwidth_limits"] = names_of(route.bandwidth_limits, config.bandwidth_limits);
  if (json::array actions = actions_json(config, route); !actions.empty()) {
    out["actions"] = std::move(actions);
  }
  out["priority"] = priority_text(route.priority);
  out["circuit_breaker"] =
      route.circuit_breaker.enabled && route.circuit_breaker.mode != config::Mode::kOff;
  if (route.clients != config::Clients{} && route.clients.mode != config::Mode::kOff &&
      !request.facts.client_ip.empty()) {
    const ClientVerdict verdict = judge_client(route.clients, request.facts.client_ip);
    out["client_verdict"] = {
        {"passes", verdict.passes}, {"rule", verdict.rule}, {"entry", verdict.entry}};
  }
}

/// What the upstream gets, whichever it is.
void add_forwarded(const config::Config& config, const config::Route& route, const Target& target,
                   const AskedRequest& request, json::object& out) {
  out["limits"] = {{"timeout", limit_text(route.timeout)},
                   {"stream_idle_timeout", limit_text(route.stream_idle_timeout)},
                   {"tunnel_idle_timeout", limit_text(route.tunnel_idle_timeout)},
                   {"headers_max", bytes_text(route.headers_bytes_max)},
                   {"body_max", bytes_text(route.body_bytes_max)},
                   {"response_body_max", bytes_text(route.response_body_bytes_max)}};
  const config::Listener* listener = listener_for(config, target.url.port);
  const bool original =
      listener != nullptr && listener->forward_path == config::ForwardPath::kOriginal;
  out["forwarded"] = {{"path", forwarded_path(route, target, original, request)},
                      {"host", forwarded_host(config, route, request)},
                      {"upgrade", target.wants_upgrade && route.upgrades}};
}

/// A refusal by one of the route's filters; false: none is certain.
bool refuse(const config::Config& config, const config::Route& route, const Target& target,
            const AskedRequest& request, json::object& out) {
  std::optional<json::object> reply = cors_reply(route, "", target, request);
  if (!reply) {
    reply = client_refusal(route, request);
  }
  if (!reply) {
    return !route.redirect.enabled && !route.respond.enabled &&
           refuse_host(config, route, request, out);
  }
  out["outcome"] = "refused";
  out["reply"] = std::move(*reply);
  return true;
}

/// What an explanation is made of, beside the request.
struct Sources {
  const config::Config& config;
  const policy::RouteTable& table;
  const Target& target;
  const Live& live;
};

void add_route(const Sources& from, const config::Route& route, const AskedRequest& request,
               json::object& out) {
  const auto& [config, table, target, live] = from;
  add_rules(config, route, request, out);
  if (refuse(config, route, target, request, out)) {
    return;
  }
  if (route.redirect.enabled || route.respond.enabled) {
    out["reply"] = own_answer(route, target, request);
    out["response_headers"] =
        Edits(config, route, config::kNoUpstream, request).json_of(route.response_headers);
    return;
  }
  const uint32_t upstream =
      route.split.enabled ? add_split(config, route, request, live, out) : route.upstream;
  if (upstream != config::kNoUpstream) {
    out["upstream"] = upstream_json(config.upstreams[upstream], request, live.gateway);
  }
  add_forwarded(config, route, target, request, out);
  const Edits edits(config, route, upstream, request);
  out["request_headers"] = edits.json_of(route.request_headers);
  out["response_headers"] = edits.json_of(route.response_headers);
}

void add_reply(const Error& error, std::string_view detail, json::object& out) {
  out["reply"] = error_reply(error, detail);
}

/// With its captures.
void add_match(const Sources& from, const policy::RouteMatchResult& found, AskedRequest request,
               json::object& out) {
  std::vector<std::string_view> values;
  if (found.captor != nullptr) {
    values.resize(found.captor->captures().size());
    found.captor->capture(request.path, values);
    request.captures = {.names = found.captor->captures(), .values = values};
  }
  add_route(from, from.config.routes[found.route], request, out);
}

void add_outcome(const Sources& from, const AskedRequest& request, json::object& out) {
  const auto& [config, table, target, live] = from;
  const config::Listener* listener = listener_for(config, target.url.port);
  const policy::RouteMatchResult found =
      table.match(request.host, request.path, request.method, request.facts);
  std::array<char, 1024> allow;
  switch (found.outcome) {
    case RouteOutcome::kFound:
      out["outcome"] = "matched";
      add_match(from, found, request, out);
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

/// The route that answers a preflight; nullptr: nobody does.
const config::Route* preflight_route(const config::Config& config, const policy::RouteTable& table,
                                     std::string_view preflight, const AskedRequest& request) {
  const policy::RouteMatchResult found =
      table.match(request.host, request.path, preflight, request.facts);
  if (preflight.empty() || found.outcome != RouteOutcome::kFound) {
    return nullptr;
  }
  const config::Route& route = config.routes[found.route];
  return route.cors.enabled && route.cors.mode == config::Mode::kEnforce ? &route : nullptr;
}

}  // namespace

Result<json::object, std::string> explain(const config::Config& config,
                                          const ExplainRequest& request, const Live& live) {
  if (!is_method(request.method)) {
    return Failure<std::string>{fmt::format("\"{}\" is not a method", request.method)};
  }
  const auto read = target_of(request, config);
  if (!read) {
    return Failure<std::string>{read.error()};
  }
  const Target& target = *read;
  const config::Listener* listener = listener_for(config, target.url.port);
  const AskedFields fields(request.headers);
  const AskedClient client = client_of(request.client, fields.headers(), listener);

  json::object out;
  out["generation"] = config.generation;
  out["request"] = {{"method", request.method},
                    {"host", target.host},
                    {"path", target.url.path},
                    {"normalised_path", target.path},
                    {"query", target.url.query},
                    {"listener", listener == nullptr ? std::string() : listener->name},
                    {"client", client.ip},
                    {"client_source", client.source}};
  if (reject(request, target, out)) {
    return out;
  }
  AskedRequest asked{
      .host = target.host,
      .path = target.path,
      .method = request.method,
      .scheme = target.url.scheme,
      .listener = listener == nullptr ? std::string_view() : listener->name,
      .facts = {.headers = &fields.headers(), .query = target.url.query, .client_ip = client.ip},
      .captures = {}};
  const policy::RouteTable table(config);
  const std::string_view preflight =
      policy::preflight_method(http::method_from(request.method), fields.headers());
  if (const config::Route* route = preflight_route(config, table, preflight, asked)) {
    asked.method = preflight;
    out["candidates"] = candidates_json(config, table, asked);
    out["outcome"] = "preflight";
    out["route"] = route->name;
    out["actions"] = actions_json(config, *route);
    if (auto reply = cors_reply(*route, preflight, target, asked)) {
      out["reply"] = std::move(*reply);
    }
    return out;
  }
  out["candidates"] = candidates_json(config, table, asked);
  add_outcome({.config = config, .table = table, .target = target, .live = live}, asked, out);
  return out;
}

}  // namespace hangu::admin
