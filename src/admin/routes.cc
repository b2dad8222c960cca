#include "hangu/admin/routes.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "hangu/admin/explain.h"
#include "hangu/admin/json.h"
#include "hangu/admin/query.h"
#include "hangu/config/print.h"
#include "hangu/http/status.h"
#include "hangu/stats/prometheus.h"
#include "hangu/stats/registry.h"

namespace hangu::admin {
namespace {

namespace json = boost::json;

using Done = std::function<void(Reply)>;

constexpr std::array kRoutes = {
    Route{"GET", "/", "this list"},
    Route{"GET", "/health", "200 while the process lives; also /healthz"},
    Route{"GET", "/ready", "200 when it takes traffic, 503 with the reason when not; also /readyz"},
    Route{"GET", "/status", "listeners, upstreams, shards, generation, last reload"},
    Route{"GET", "/upstreams", "endpoints: their health, the last answers to checks, orders"},
    Route{"POST", "/endpoint", "?upstream=NAME&endpoint=ADDRESS&order=drain, maint or ready"},
    Route{"GET", "/metrics", "Prometheus text format 0.0.4"},
    Route{"GET", "/config", "the effective config as YAML, secrets masked"},
    Route{"GET", "/explain", "which route takes a request: ?method=GET&url=...&header=Name: value"},
    Route{"POST", "/reload", "reads the config again: 200 applied, 422 invalid, 409 refused"},
};

/// Kubernetes' names for two of the paths mean the same.
std::string_view without_alias(std::string_view path) {
  return path == "/healthz" || path == "/readyz" ? path.substr(0, path.size() - 1) : path;
}

Reply text_reply(int status, std::string text) {
  return {status, "text/plain; charset=utf-8", std::move(text), {}};
}

Reply json_reply(const json::object& value) {
  return {200, "application/json", json::serialize(value) + "\n", {}};
}

Reply index() {
  json::array all;
  for (const Route& route : kRoutes) {
    all.push_back({{"method", json::string(route.method)},
                   {"path", json::string(route.path)},
                   {"summary", json::string(route.summary)}});
  }
  return {200, "application/json", pretty(json::object{{"routes", all}}) + "\n", {}};
}

Reply ready(control::Daemon& daemon) {
  const control::Readiness readiness = daemon.readiness();
  return readiness.ready ? text_reply(200, "ready\n") : problem(503, "not_ready", readiness.reason);
}

Reply metrics(control::Daemon& daemon) {
  return {200,
          "text/plain; version=0.0.4; charset=utf-8",
          stats::prometheus_text(daemon.registry()),
          {}};
}

Reply explain_request(std::string_view query, control::Daemon& daemon) {
  const auto fields = parse_query(query);
  if (!fields) {
    return problem(400, "admin.bad_query", "the query holds a broken escape");
  }
  ExplainRequest request;
  for (const auto& [name, value] : *fields) {
    if (name == "method") {
      request.method = value;
    } else if (name == "url") {
      request.url = value;
    } else if (name == "header") {
      request.headers.push_back(value);
    } else {
      return problem(400, "admin.bad_query", fmt::format("no parameter is called \"{}\"", name));
    }
  }
  const control::DaemonStatus status = daemon.status();
  auto explanation = explain(*daemon.config(), request, &status.gateway);
  return explanation ? json_reply(*explanation)
                     : problem(400, "admin.bad_query", explanation.error());
}

Reply order_endpoint(std::string_view query, control::Daemon& daemon) {
  using Order = policy::EndpointHealth::Order;
  const auto fields = parse_query(query);
  if (!fields) {
    return problem(400, "admin.bad_query", "the query holds a broken escape");
  }
  std::string upstream;
  std::string endpoint;
  std::optional<Order> order;
  for (const auto& [name, value] : *fields) {
    if (name == "upstream") {
      upstream = value;
    } else if (name == "endpoint") {
      endpoint = value;
    } else if (name == "order") {
      for (const Order known : {Order::kReady, Order::kDrain, Order::kMaintenance}) {
        order = value == policy::to_string(known) ? known : order;
      }
    } else {
      return problem(400, "admin.bad_query", fmt::format("no parameter is called \"{}\"", name));
    }
  }
  if (upstream.empty() || endpoint.empty() || !order) {
    return problem(400, "admin.bad_query",
                   "needs upstream, endpoint, and an order: ready, drain or maint");
  }
  if (auto done = daemon.set_order(upstream, endpoint, *order); !done) {
    return problem(404, "admin.no_endpoint", done.error());
  }
  return json_reply(upstreams_json(daemon.status()));
}

Reply reload_reply(const control::ReloadOutcome& outcome) {
  switch (outcome.kind) {
    case control::ReloadOutcome::Kind::kApplied: return json_reply(reload_json(outcome));
    case control::ReloadOutcome::Kind::kRefused:
      return problem(409, "reload.refused", outcome.error);
    case control::ReloadOutcome::Kind::kInvalidConfig: break;
  }
  Reply reply = problem(422, "reload.invalid_config", outcome.error);
  json::object body = json::parse(reply.body).as_object();
  body["diagnostics"] = json::parse(config::diagnostics_to_json(outcome.diagnostics));
  reply.body = json::serialize(body) + "\n";
  return reply;
}

Reply answer(std::string_view path, std::string_view query, control::Daemon& daemon) {
  if (path == "/") {
    return index();
  }
  if (path == "/health") {
    return text_reply(200, "alive\n");
  }
  if (path == "/ready") {
    return ready(daemon);
  }
  if (path == "/status") {
    return json_reply(status_json(daemon.status(), std::time(nullptr)));
  }
  if (path == "/upstreams") {
    return json_reply(upstreams_json(daemon.status()));
  }
  if (path == "/endpoint") {
    return order_endpoint(query, daemon);
  }
  if (path == "/metrics") {
    return metrics(daemon);
  }
  if (path == "/config") {
    return {200, "application/yaml", config::print_effective(*daemon.config()), {}};
  }
  return explain_request(query, daemon);
}

}  // namespace

std::span<const Route> routes() {
  return kRoutes;
}

void handle(const Request& request, control::Daemon& daemon, Done done) {
  const std::string_view target = request.target;
  const size_t question = std::min(target.find('?'), target.size());
  const std::string_view path = without_alias(target.substr(0, question));
  const std::string_view query = target.substr(std::min(question + 1, target.size()));
  const auto* found = std::find_if(kRoutes.begin(), kRoutes.end(),
                                   [&](const Route& route) { return route.path == path; });
  if (found == kRoutes.end()) {
    done(problem(404, "admin.not_found", fmt::format("no such path: {}; / lists them", path)));
    return;
  }
  if (found->method != request.method) {
    Reply reply = problem(405, "admin.method", fmt::format("{} takes {}", path, found->method));
    reply.allow = found->method == "GET" ? "GET, HEAD" : std::string(found->method);
    done(std::move(reply));
    return;
  }
  if (path == "/reload") {
    daemon.reload([done = std::move(done)](const control::ReloadOutcome& outcome) {
      done(reload_reply(outcome));
    });
    return;
  }
  done(answer(path, query, daemon));
}

Reply problem(int status, std::string_view code, std::string_view detail) {
  const json::object body = {{"type", "about:blank"},
                             {"title", http::reason_phrase(status)},
                             {"status", status},
                             {"code", json::string(code)},
                             {"detail", json::string(detail)}};
  return {status, "application/problem+json", json::serialize(body) + "\n", {}};
}

}  // namespace hangu::admin
