#include "admin/actions_json.h"

#include <algorithm>

#include <fmt/format.h>

#include "hangu/config/duration.h"
#include "hangu/config/print.h"
#include "hangu/config/size.h"
#include "hangu/policy/content_coding.h"

namespace hangu::admin {
namespace {

namespace json = boost::json;

std::string joined(const std::vector<std::string>& list) {
  std::string out;
  for (const std::string& each : list) {
    out += (out.empty() ? "" : ", ") + each;
  }
  return out;
}

std::string percent_text(config::Percent percent) {
  return fmt::format("{} %", percent.millionths / 10'000.0);
}

std::string cors_text(const config::Cors& cors) {
  std::vector<std::string> origins = cors.origins;
  origins.insert(origins.end(), cors.patterns.begin(), cors.patterns.end());
  return fmt::format("{}{} for pages of {}{}", joined(cors.methods),
                     cors.credentials ? ", with credentials," : "", joined(origins),
                     cors.refuse_others ? "; 403 for others" : "");
}

std::string compression_text(const config::Compression& compression) {
  std::string codings;
  for (const config::ContentCoding coding : compression.codings) {
    codings += codings.empty() ? "" : ", ";
    codings += policy::to_string(coding);
  }
  return fmt::format("{} from {}{}", codings, config::format_size(compression.bytes_min),
                     compression.with_credentials ? "" : "; not what goes with credentials");
}

std::string fault_text(const config::Fault& fault) {
  std::string out;
  if (fault.delay != Duration::zero()) {
    out = fmt::format("delays {} by {}", percent_text(fault.delay_percent),
                      config::format_duration(fault.delay));
  }
  if (fault.abort_status != 0) {
    out += fmt::format("{}answers {} with {}", out.empty() ? "" : ", ",
                       percent_text(fault.abort_percent), fault.abort_status);
  }
  return out;
}

std::string mirror_text(const config::Config& config, const config::Mirror& mirror) {
  return fmt::format("{} to {}, bodies up to {}", percent_text(mirror.percent),
                     config.upstreams[mirror.upstream].name,
                     config::format_size(mirror.body_bytes_max));
}

std::string authentication_text(const config::Config& config, const config::Authentication& how) {
  const bool all = !how.all.empty();
  std::vector<std::string> names;
  for (const uint32_t index : all ? how.all : how.any) {
    const config::Authenticator& one = config.authenticators[index];
    names.push_back(one.oidc.enabled
                        ? fmt::format("{} (login at {})", one.name, one.oidc.id_token.issuer)
                        : one.name);
  }
  std::string text = (names.size() == 1 ? "by "
                      : all             ? "by all of "
                                        : "by one of ") +
                     joined(names);
  if (how.anonymous != config::kNoConsumer) {
    text += fmt::format("; without a credential as {}", config.consumers[how.anonymous].name);
  } else if (how.optional) {
    text += "; may be left out";
  }
  return text;
}

/// Empty: nobody wants to see bodies.
std::string digest_text(const config::Config& config, const config::Authentication& how) {
  const auto& asked = how.all.empty() ? how.any : how.all;
  for (const uint32_t index : asked) {
    const config::SignatureAuth& signature = config.authenticators[index].signature;
    if (signature.enabled && signature.body_digest) {
      return fmt::format("up to {}, held back until its digest is right",
                         config::format_size(signature.body_bytes_max));
    }
  }
  return "";
}

std::string openapi_text(const config::OpenApi& openapi) {
  return fmt::format("{} operations of {}; bodies up to {}", openapi.file.document->operations(),
                     openapi.file.path, config::format_size(openapi.body_bytes_max));
}

std::string authorization_text(const config::Authorization& authorization) {
  std::vector<std::string> rules;
  for (const config::AllowRule& rule : authorization.allow) {
    rules.push_back(rule.id);
  }
  return fmt::format("if a rule allows it: {}; else 403", joined(rules));
}

std::string forward_auth_text(const config::Config& config, const config::ForwardAuth& service) {
  const bool appends = !service.path_prefix.empty();
  return fmt::format(
      "{} asks {} for {}{} within {}; without an answer {}{}", service.name,
      config.upstreams[service.upstream].name, appends ? service.path_prefix : service.path,
      appends ? " and the path" : "", config::format_duration(service.timeout),
      service.on_error == config::OnAuthError::kAllow ? "it passes"
                                                      : std::to_string(service.status_on_error),
      service.cache.enabled
          ? fmt::format("; decisions hold for {}", config::format_duration(service.cache.ttl))
          : "");
}

/// The first few of a long list.
std::string networks_text(const std::vector<config::Cidr>& list, const config::NetworkFile& file) {
  constexpr size_t kShown = 8;
  std::vector<std::string> shown;
  for (size_t i = 0; i < std::min(list.size(), kShown); ++i) {
    shown.push_back(list[i].text);
  }
  if (list.size() > kShown) {
    shown.push_back(fmt::format("{} more", list.size() - kShown));
  }
  if (file.networks != nullptr) {
    shown.push_back(fmt::format("the {} of {}", file.networks->size(), file.path));
  }
  return joined(shown);
}

std::string clients_text(const config::Clients& clients) {
  const std::string allowed = networks_text(clients.allow, clients.allow_file);
  const std::string denied = networks_text(clients.deny, clients.deny_file);
  return fmt::format("from {}{}{}; else 403", allowed.empty() ? "everywhere" : allowed,
                     denied.empty() ? "" : ", but not from ", denied);
}

std::string overload_text(config::Priority priority) {
  return fmt::format("503 when the gateway has too much to do, from step {} on",
                     priority == config::Priority::kLow      ? "shed_low"
                     : priority == config::Priority::kNormal ? "shed_normal"
                                                             : "stop");
}

std::string exempt_text(const std::vector<config::Cidr>& exempt) {
  return exempt.empty() ? "" : fmt::format(", not of {}", networks_text(exempt, {}));
}

std::string_view missing_text(config::MissingKey missing) {
  switch (missing) {
    case config::MissingKey::kShare: return "";
    case config::MissingKey::kSkip: return ", not of those without the key";
    case config::MissingKey::kDeny: return ", refused without the key";
  }
  return "";
}

std::string concurrency_text(const config::ConcurrencyLimit& limit) {
  return fmt::format("{}: {} by {}{}{}; else {}", limit.name, limit.requests_max,
                     key_text(limit.key), missing_text(limit.on_missing_key),
                     exempt_text(limit.exempt), limit.status);
}

std::string bandwidth_text(const config::BandwidthLimit& limit) {
  std::vector<std::string> ways;
  const auto add = [&](std::string_view way, uint64_t bytes) {
    if (bytes != 0) {
      ways.push_back(fmt::format("{} {}/s", way, config::format_size(bytes)));
    }
  };
  add("requests", limit.request_bytes_per_second);
  add("responses", limit.response_bytes_per_second);
  return fmt::format("{}: {} {}{}", limit.name, joined(ways),
                     limit.scope == config::BandwidthScope::kStream
                         ? "each"
                         : fmt::format("by {}", key_text(limit.key)),
                     exempt_text(limit.exempt));
}

std::string_view scope_text(config::RateScope scope) {
  switch (scope) {
    case config::RateScope::kShard: return "shard";
    case config::RateScope::kNode: return "node";
    case config::RateScope::kCluster: return "cluster";
  }
  return "";
}

/// Of which requests, and how much each takes; empty: of all, and one.
std::string about_text(const config::RateLimit& limit) {
  using Kind = config::RateCost::Kind;
  const config::RateMatch& match = limit.match;
  std::string text;
  if (!match.methods.empty()) {
    text += fmt::format(", of {}", joined(match.methods));
  }
  if (!match.path_exact.empty() || !match.path_prefix.empty()) {
    text += match.path_exact.empty() ? fmt::format(", under {}", match.path_prefix)
                                     : fmt::format(", of {}", match.path_exact);
  }
  text += match.skip_preflight ? ", not of preflights" : "";
  text += missing_text(limit.on_missing_key);
  text += exempt_text(limit.exempt);
  switch (limit.cost.kind) {
    case Kind::kFixed:
      return limit.cost.fixed == 1 ? text : text + fmt::format(", {} each", limit.cost.fixed);
    case Kind::kRequestBytes: return text + ", bytes of requests";
    case Kind::kResponseBytes: return text + ", bytes of responses";
    case Kind::kBytes: return text + ", bytes of both";
    case Kind::kResponseHeader:
      return text + fmt::format(", as the response's {} says", limit.cost.header);
  }
  return text;
}

json::object rate_limit_json(const config::RateLimit& limit) {
  json::array key;
  for (const config::KeyPart& part : limit.key) {
    key.emplace_back(config::format_key_part(part));
  }
  const bool quota = limit.quota.limit != 0;
  const std::string_view per = limit.quota.per == config::QuotaPeriod::kDay ? "day" : "month";
  json::object out{{"name", limit.name},
                   {"limit", quota ? fmt::format("{}/{}", limit.quota.limit, per)
                                   : config::format_rate(limit.rate)},
                   {"key", std::move(key)},
                   {"scope", scope_text(limit.scope)},
                   {"mode", limit.mode == config::Mode::kShadow ? "shadow" : "enforce"},
                   {"status", limit.status},
                   {"about", about_text(limit)}};
  if (limit.burst != 0) {
    out["burst"] = limit.burst;
  }
  return out;
}

/// The list of actions as it grows.
class Actions {
 public:
  void add(std::string_view action, std::string text, config::Mode mode = config::Mode::kEnforce) {
    if (mode != config::Mode::kOff) {
      all_.push_back(action_json("action", action, std::move(text), mode));
    }
  }

  json::array take() { return std::move(all_); }

 private:
  json::array all_;
};

/// Who gets in, in the order of the filters.
void add_admission(const config::Config& config, const config::Route& route, Actions& to) {
  // As SnapshotBuilder: routes of high priority that answer by themselves are always served.
  if (config.overload.enabled &&
      !(route.priority == config::Priority::kHigh && route.respond.enabled)) {
    to.add("overload", overload_text(route.priority), config.overload.mode);
  }
  if (route.cors.enabled) {
    to.add("cors", cors_text(route.cors), route.cors.mode);
  }
  if (route.clients != config::Clients{}) {
    to.add("clients", clients_text(route.clients), route.clients.mode);
  }
  if (route.authentication.enabled()) {
    to.add("identity", authentication_text(config, route.authentication),
           route.authentication.mode);
    if (std::string text = digest_text(config, route.authentication); !text.empty()) {
      to.add("body", std::move(text));
    }
  }
  if (route.forward_auth < config.forward_auths.size()) {
    const config::ForwardAuth& service = config.forward_auths[route.forward_auth];
    to.add("forward_auth", forward_auth_text(config, service), service.mode);
  }
  if (route.authorization.enabled()) {
    to.add("allowed", authorization_text(route.authorization), route.authorization.mode);
  }
  for (const uint32_t limit : route.concurrency_limits) {
    to.add("at once", concurrency_text(config.concurrency_limits[limit]),
           config.concurrency_limits[limit].mode);
  }
  for (const uint32_t limit : route.bandwidth_limits) {
    to.add("bandwidth", bandwidth_text(config.bandwidth_limits[limit]),
           config.bandwidth_limits[limit].mode);
  }
  if (route.openapi.enabled) {
    to.add("openapi", openapi_text(route.openapi), route.openapi.mode);
  }
}

}  // namespace

std::string_view mode_text(config::Mode mode) {
  return mode == config::Mode::kShadow ? " (shadow: only logged)" : "";
}

json::object action_json(std::string_view key, std::string_view name, std::string text,
                         config::Mode mode) {
  json::object out{{key, name}, {"does", std::move(text) + std::string(mode_text(mode))}};
  if (mode == config::Mode::kShadow) {
    out["mode"] = "shadow";
  }
  return out;
}

std::string key_text(const std::vector<config::KeyPart>& key) {
  std::vector<std::string> parts(key.size());
  std::transform(key.begin(), key.end(), parts.begin(), config::format_key_part);
  return joined(parts);
}

std::string breaker_text(const config::CircuitBreaker& breaker) {
  std::string text = fmt::format(
      "503 for {} after more than {} % failures of at least {} requests in {}",
      breaker.open_time_max > breaker.open_time
          ? fmt::format("{} to {}", config::format_duration(breaker.open_time),
                        config::format_duration(breaker.open_time_max))
          : config::format_duration(breaker.open_time),
      breaker.failure_percent, breaker.requests_min, config::format_duration(breaker.window));
  if (breaker.own_failures != 0) {
    text += fmt::format(", or {} in a row without an answer", breaker.own_failures);
  }
  if (breaker.slow_over != Duration::zero()) {
    text += fmt::format(", or more than {} % over {}", breaker.slow_percent,
                        config::format_duration(breaker.slow_over));
  }
  return text;
}

json::array rate_limits_json(const config::Config& config, const config::Route& route) {
  json::array all;
  for (const uint32_t limit : route.rate_limits) {
    if (config.rate_limits[limit].mode != config::Mode::kOff) {
      all.push_back(rate_limit_json(config.rate_limits[limit]));
    }
  }
  return all;
}

json::array actions_json(const config::Config& config, const config::Route& route) {
  Actions all;
  add_admission(config, route, all);
  if (route.fault.enabled) {
    all.add("fault", fault_text(route.fault), route.fault.mode);
  }
  for (const config::PluginUse& use : route.plugins) {
    all.add("plugin", config.plugins[use.plugin].name, use.mode);
  }
  if (route.grpc_web) {
    all.add("grpc_web", "calls in gRPC-Web become gRPC");
  }
  if (route.mirror.enabled) {
    all.add("mirror", mirror_text(config, route.mirror));
  }
  if (route.circuit_breaker.enabled) {
    all.add("breaker", "of this route: " + breaker_text(route.circuit_breaker),
            route.circuit_breaker.mode);
  }
  if (route.deadline.accept) {
    all.add("deadline", "x-request-timeout-ms of trusted proxies bounds the request");
  }
  if (route.deadline.forward) {
    all.add("deadline", "the upstream is told how long it has");
  }
  if (route.compression.enabled) {
    all.add("compression", compression_text(route.compression));
  }
  return all.take();
}

}  // namespace hangu::admin
