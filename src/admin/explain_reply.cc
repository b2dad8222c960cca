#include "admin/explain_reply.h"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "hangu/base/utf8.h"
#include "hangu/config/path_template.h"
#include "hangu/http/local_reply.h"
#include "hangu/net/address.h"
#include "hangu/policy/cidr_set.h"
#include "hangu/policy/cors.h"
#include "hangu/policy/path_rewrite.h"
#include "hangu/policy/path_target.h"

#include "admin/actions_json.h"

namespace hangu::admin {
namespace {

namespace json = boost::json;

constexpr size_t kShownBodyBytes = 1024;

json::object reply(uint32_t status, std::string_view code, std::string_view detail) {
  return {{"status", status}, {"code", code}, {"detail", detail}};
}

std::string network_text(const config::Network& network) {
  constexpr size_t kMappedBytes = 12;
  constexpr uint8_t kMappedBits = 96;
  const bool ipv4 = policy::is_ipv4(network.bytes) && network.bits >= kMappedBits;
  const auto* bytes = reinterpret_cast<const char*>(network.bytes.data());
  const std::string_view all(bytes, network.bytes.size());
  return fmt::format("{}/{}",
                     net::Address::from_ip(ipv4 ? all.substr(kMappedBytes) : all, 0).ip_string(),
                     ipv4 ? network.bits - kMappedBits : network.bits);
}

/// Those of a file that have the address, told apart as CidrSet does: it is asked about each that
/// could.
std::string entry_of(const config::NetworkFile& file, std::string_view ip) {
  const auto address = policy::parse_ip(ip);
  if (file.networks == nullptr || !address) {
    return {};
  }
  for (const config::Network& network : *file.networks) {
    if (policy::network_of(*address, network.bits) == network.bytes &&
        policy::CidrSet(std::vector{network}).contains(*address)) {
      return fmt::format("{} of {}", network_text(network), file.path);
    }
  }
  return {};
}

/// The first of the list and its file that has the address; empty: none has.
std::string entry_of(const std::vector<config::Cidr>& list, const config::NetworkFile& file,
                     std::string_view ip) {
  for (const config::Cidr& each : list) {
    if (policy::CidrSet(std::vector{each}).contains(ip)) {
      return each.text;
    }
  }
  return entry_of(file, ip);
}

/// Path and query.
std::string redirect_target(const config::Route& route, const AskedRequest& request) {
  const config::Redirect& redirect = route.redirect;
  const bool has_query = !request.facts.query.empty();
  if (auto target = substituted(redirect.regex, redirect.substitution, request)) {
    return std::move(*target);
  }
  const std::string path = path_with_captures(route, redirect.path, request.captures);
  const policy::PathParts parts =
      policy::rewrite_path(route.match, path, redirect.prefix, request.path);
  return fmt::format("{}{}{}{}", parts.head, parts.tail, has_query ? "?" : "", request.facts.query);
}

/// Pages of the very site they ask; browsers send Origin with some of those, too.
bool same_origin(std::string_view origin, const Target& target) {
  const uint16_t usual = target.url.scheme == "https" ? 443 : 80;
  const std::string port =
      target.port == usual || target.port == 0 ? std::string() : fmt::format(":{}", target.port);
  return origin == fmt::format("{}://{}{}", target.url.scheme, target.host, port);
}

}  // namespace

json::object error_reply(const Error& error, std::string_view detail) {
  const http::LocalReply local = http::local_reply_for(error);
  return reply(static_cast<uint32_t>(local.status), local.code,
               detail.empty() ? local.detail : detail);
}

ClientVerdict judge_client(const config::Clients& clients, std::string_view ip) {
  if (std::string entry = entry_of(clients.deny, clients.deny_file, ip); !entry.empty()) {
    return {.passes = false, .rule = "deny", .entry = std::move(entry)};
  }
  if (clients.allow.empty() && clients.allow_file.networks == nullptr) {
    return {};
  }
  std::string entry = entry_of(clients.allow, clients.allow_file, ip);
  const bool passes = !entry.empty();
  return {.passes = passes, .rule = "allow", .entry = std::move(entry)};
}

std::optional<json::object> client_refusal(const config::Route& route,
                                           const AskedRequest& request) {
  const std::string_view ip = request.facts.client_ip;
  if (route.clients == config::Clients{} || route.clients.mode != config::Mode::kEnforce ||
      ip.empty()) {
    return std::nullopt;
  }
  const ClientVerdict verdict = judge_client(route.clients, ip);
  if (verdict.passes) {
    return std::nullopt;
  }
  json::object refusal = reply(
      403, "client.denied",
      verdict.entry.empty()
          ? fmt::format("not from this address: {} is in no network of `clients.allow`", ip)
          : fmt::format("not from this address: {} is in {} of `clients.deny`", ip, verdict.entry));
  refusal["rule"] = verdict.rule;
  if (!verdict.entry.empty()) {
    refusal["entry"] = verdict.entry;
  }
  return refusal;
}

std::optional<json::object> cors_reply(const config::Route& route, std::string_view preflight,
                                       const Target& target, const AskedRequest& request) {
  const std::string_view origin = request.header("origin").value_or("");
  if (!route.cors.enabled || route.cors.mode != config::Mode::kEnforce || origin.empty()) {
    return std::nullopt;
  }
  const policy::CorsPolicy cors(route.cors);
  const auto refused = [](const policy::CorsRefusal& refusal) {
    return reply(403, refusal.code, refusal.detail);
  };
  if (preflight.empty()) {
    const bool passes =
        !cors.refuses_others() || cors.allows_origin(origin) || same_origin(origin, target);
    return passes ? std::nullopt : std::optional(refused(policy::kOtherOrigin));
  }
  const std::string_view names = request.header("access-control-request-headers").value_or("");
  const auto refusal = cors.refusal(origin, preflight, names);
  return refusal ? refused(*refusal) : reply(204, "cors.preflight", "the page may ask");
}

json::object own_answer(const config::Route& route, const Target& target,
                        const AskedRequest& request) {
  if (route.redirect.enabled) {
    const policy::RedirectAddress to =
        policy::redirect_address(route.redirect, target.url.scheme, target.host, target.port);
    json::object answer =
        reply(route.redirect.status, "route.redirect", "the route sends clients elsewhere");
    answer["location"] = fmt::format("{}://{}{}{}", to.scheme, to.host,
                                     to.port == 0 ? "" : fmt::format(":{}", to.port),
                                     redirect_target(route, request));
    return answer;
  }
  const config::DirectResponse& respond = route.respond;
  const std::string& body = respond.file.empty() ? respond.body : respond.contents;
  json::object answer = reply(respond.status, "route.respond", "the route answers by itself");
  answer["content_type"] = respond.content_type;
  answer["body_bytes"] = body.size();
  answer["body"] = utf8_repaired(utf8_prefix(body, kShownBodyBytes));
  if (!respond.file.empty()) {
    answer["file"] = respond.file;
  }
  if (respond.retry_after != Duration::zero()) {
    answer["retry_after_s"] =
        std::chrono::duration_cast<std::chrono::seconds>(respond.retry_after).count();
  }
  return answer;
}

std::optional<std::string> substituted(const std::string& regex, const std::string& substitution,
                                       const AskedRequest& request) {
  const auto compiled = policy::PathSubstitution::compile(regex, substitution);
  if (regex.empty() || !compiled) {
    return std::nullopt;
  }
  std::string target;
  const std::string_view query = request.facts.query;
  const auto allocate = [&target](size_t size) {
    target.resize(size);
    return target.data();
  };
  const size_t size =
      policy::substituted_target(*compiled, request.path, !query.empty(), query, allocate).size();
  target.resize(size);
  return size != 0 ? std::optional(std::move(target)) : std::nullopt;
}

std::string path_with_captures(const config::Route& route, const std::string& path,
                               const policy::Captures& captures) {
  const policy::PathMaker maker(path, config::capture_names(route.match));
  std::string out(maker.size(captures.values), ' ');
  maker.write(captures.values, out.data());
  return out;
}

}  // namespace hangu::admin
