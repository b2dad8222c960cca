#include "admin/explain_upstream.h"

#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "hangu/config/duration.h"
#include "hangu/config/size.h"
#include "hangu/control/discovery_status.h"
#include "hangu/control/endpoint_refresher.h"
#include "hangu/http/method.h"
#include "hangu/policy/retry.h"

#include "admin/actions_json.h"

namespace hangu::admin {
namespace {

namespace json = boost::json;
using config::format_duration;

std::string numbers_text(const std::vector<uint32_t>& numbers) {
  return fmt::format("{}", fmt::join(numbers, ", "));
}

std::string_view balancing_name(config::BalancingPolicy policy) {
  switch (policy) {
    case config::BalancingPolicy::kRoundRobin: return "round_robin";
    case config::BalancingPolicy::kLeastRequests: return "least_requests";
    case config::BalancingPolicy::kPeakEwma: return "peak_ewma";
    case config::BalancingPolicy::kHash: return "hash";
    case config::BalancingPolicy::kRingHash: return "ring_hash";
  }
  return "";
}

std::string balancing_text(const config::Balancing& balancing) {
  std::string text(balancing_name(balancing.policy));
  const bool hashes = balancing.policy == config::BalancingPolicy::kHash ||
                      balancing.policy == config::BalancingPolicy::kRingHash;
  if (hashes) {
    text += fmt::format(" by {}", key_text(balancing.key));
    if (balancing.balance_factor != 0) {
      text += fmt::format(", up to {} % of the mean load each", balancing.balance_factor);
    }
  } else if (balancing.slow_start.window != Duration::zero()) {
    text += fmt::format(", slow start within {}", format_duration(balancing.slow_start.window));
  }
  if (balancing.subset_size != 0) {
    text += fmt::format(", a worker uses {} of the endpoints", balancing.subset_size);
  }
  if (balancing.panic_percent != config::Balancing{}.panic_percent) {
    text +=
        balancing.panic_percent == 0
            ? ", never those that are not well"
            : fmt::format(", all of them when fewer than {} % are well", balancing.panic_percent);
  }
  return text;
}

std::string sticky_text(const config::StickyCookie& sticky, const AskedRequest& request) {
  return fmt::format(
      "cookie {}{}: {}", sticky.name,
      sticky.ttl == Duration::zero() ? std::string()
                                     : fmt::format(" for {}", format_duration(sticky.ttl)),
      request.cookie(sticky.name) ? "the request has it, and goes where it leads while that is well"
                                  : "the request has none, the answer sets it");
}

std::string check_text(const config::HealthCheck& check) {
  std::string what;
  switch (check.kind) {
    case config::HealthCheckKind::kHttp:
      what = fmt::format("{} {}", check.method, check.path);
      break;
    case config::HealthCheckKind::kTcp: what = "tcp"; break;
    case config::HealthCheckKind::kGrpc:
      what = fmt::format("grpc {}", check.service.empty() ? "server" : check.service);
      break;
  }
  return fmt::format("{} every {}, within {}; out after {} bad ones, back after {} good ones", what,
                     format_duration(check.interval), format_duration(check.timeout),
                     check.unhealthy, check.healthy);
}

std::string ejection_text(const config::Ejection& ejection) {
  std::string rules = fmt::format("{} failures in a row", ejection.failures);
  if (ejection.gateway_failures != 0) {
    rules += fmt::format(" or {} without an answer", ejection.gateway_failures);
  }
  if (ejection.success_rate.enabled) {
    rules += fmt::format(", a success rate {} standard deviations below the mean",
                         ejection.success_rate.stdev_percent / 100.0);
  }
  if (ejection.failure_percentage.enabled) {
    rules += fmt::format(", {} % failures", ejection.failure_percentage.threshold);
  }
  return fmt::format("of an endpoint after {}, for {} to {}; at most {} % of them", rules,
                     format_duration(ejection.time), format_duration(ejection.time_max),
                     ejection.percent_max);
}

/// Empty: there is none.
std::string limits_text(const config::UpstreamLimits& limits) {
  std::vector<std::string> all;
  const auto add = [&](uint32_t max, std::string_view of) {
    if (max != 0) {
      all.push_back(fmt::format("at most {} {}", max, of));
    }
  };
  add(limits.requests_max, "requests at once");
  add(limits.pending_max, "requests waiting for a connection");
  add(limits.connections_max, "connections");
  add(limits.endpoint_connections_max, "connections to an endpoint");
  return fmt::format("{}", fmt::join(all, ", "));
}

std::string adaptive_text(const config::AdaptiveConcurrency& adaptive) {
  return fmt::format(
      "{} to {} requests at once, as many as it answers within {} % more time than at rest; "
      "else 503",
      adaptive.limit_min, adaptive.limit_max, adaptive.buffer_percent);
}

std::string admission_text(const config::Admission& admission) {
  return fmt::format("503 for up to {} % of the requests while fewer than {} % in {} go well",
                     admission.reject_percent_max, admission.success_percent,
                     format_duration(admission.window));
}

std::string hedge_text(const config::Hedging& hedging) {
  return fmt::format("GET and HEAD ask a second endpoint after {}, at most {} % of them",
                     hedging.after.percentile != 0 ? fmt::format("p{}", hedging.after.percentile)
                                                   : format_duration(hedging.after.fixed),
                     hedging.percent_max);
}

std::string retry_text(const config::RetryPolicy& retry, const AskedRequest& request) {
  if (retry.attempts == 0) {
    return "never";
  }
  std::vector<std::string_view> reasons;
  for (const config::RetryReason reason : retry.on) {
    reasons.push_back(policy::to_string(reason));
  }
  std::string text = fmt::format("{} more after {}", retry.attempts, fmt::join(reasons, ", "));
  if (!retry.statuses.empty()) {
    text += fmt::format("{}status {}", reasons.empty() ? "" : " or ", numbers_text(retry.statuses));
  }
  if (!policy::may_repeat(retry, http::method_from(request.method), *request.facts.headers)) {
    text += "; this request only where the upstream has not read it";
  }
  if (retry.try_timeout != Duration::zero()) {
    text += fmt::format("; {} a try", format_duration(retry.try_timeout));
  }
  return text + fmt::format("; bodies up to {}, pauses of {} to {}, at most {} % of the requests",
                            config::format_size(retry.buffer_bytes), format_duration(retry.backoff),
                            format_duration(retry.backoff_max), retry.budget_percent);
}

/// Empty: HTTP/1.1 without TLS, as ever.
std::string protocol_text(const config::Upstream& upstream) {
  const std::string_view protocol = upstream.protocol == config::UpstreamProtocol::kHttp2 ? "HTTP/2"
                                    : upstream.protocol == config::UpstreamProtocol::kAuto
                                        ? "HTTP/2 or HTTP/1.1"
                                        : "HTTP/1.1";
  if (!upstream.tls.enabled) {
    return upstream.protocol == config::UpstreamProtocol::kHttp1 ? "" : std::string(protocol);
  }
  return fmt::format("{} over TLS{}{}", protocol,
                     upstream.tls.certificate.empty() ? "" : " with a certificate",
                     upstream.tls.verify ? "" : ", whoever answers");
}

/// In the order in which a request meets them.
json::array policies_json(const config::Upstream& upstream, const AskedRequest& request) {
  json::array all;
  const auto add = [&](std::string_view policy, std::string text,
                       config::Mode mode = config::Mode::kEnforce) {
    if (mode != config::Mode::kOff && !text.empty()) {
      all.push_back(action_json("policy", policy, std::move(text), mode));
    }
  };
  if (upstream.circuit_breaker.enabled) {
    add("breaker", breaker_text(upstream.circuit_breaker), upstream.circuit_breaker.mode);
  }
  if (upstream.admission.enabled) {
    add("admission", admission_text(upstream.admission), upstream.admission.mode);
  }
  if (upstream.adaptive_concurrency.enabled) {
    add("adaptive", adaptive_text(upstream.adaptive_concurrency),
        upstream.adaptive_concurrency.mode);
  }
  add("limits", limits_text(upstream.limits), upstream.limits.mode);
  if (upstream.queue.max != 0) {
    add("queue",
        fmt::format("{} more wait up to {}", upstream.queue.max,
                    format_duration(upstream.queue.timeout)),
        upstream.limits.mode);
  }
  if (upstream.discovery.enabled()) {
    add("discovery", control::source_name(upstream.discovery));
  }
  add("balancing", balancing_text(upstream.balancing));
  if (upstream.balancing.sticky.enabled) {
    add("sticky", sticky_text(upstream.balancing.sticky, request));
  }
  if (upstream.health_check.enabled) {
    add("health check", check_text(upstream.health_check), upstream.health_check.mode);
  }
  if (upstream.ejection.enabled) {
    add("ejection", ejection_text(upstream.ejection), upstream.ejection.mode);
  }
  add("protocol", protocol_text(upstream));
  add("retries", retry_text(upstream.retry, request));
  if (upstream.hedging.enabled) {
    add("hedging", hedge_text(upstream.hedging), upstream.hedging.mode);
  }
  return all;
}

}  // namespace

json::object upstream_json(const config::Upstream& upstream, const AskedRequest& request,
                           const server::GatewayStatus* live) {
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
                   {"connect_timeout", format_duration(upstream.connect_timeout)},
                   {"retry_attempts", upstream.retry.attempts},
                   {"policies", policies_json(upstream, request)}};
  if (upstream.discovery.enabled()) {
    all["discovery"] = control::source_name(upstream.discovery);
  }
  return all;
}

}  // namespace hangu::admin
