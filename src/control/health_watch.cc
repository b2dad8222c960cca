#include "hangu/control/health_watch.h"

#include <algorithm>
#include <utility>

#include "hangu/base/log.h"
#include "hangu/stats/registry.h"

namespace hangu::control {
namespace {

using Order = policy::EndpointHealth::Order;
using Tally = policy::EndpointHealth::Tally;

std::string cause_of(const policy::Outlier& outlier) {
  const bool rate = outlier.cause == policy::Outlier::Cause::kSuccessRate;
  return fmt::format("cause={} success_percent={:.1f} least_percent={:.1f}",
                     rate ? "success_rate" : "failure_percentage", outlier.success_percent,
                     outlier.least_percent);
}

policy::InService in_service(const std::vector<server::EndpointHandle>& endpoints, int64_t now_ns) {
  policy::InService all;
  for (const server::EndpointHandle& endpoint : endpoints) {
    all.add(*endpoint.health, now_ns);
  }
  return all;
}

}  // namespace

HealthWatch::HealthWatch()
    : random_(std::random_device{}()) {}

void HealthWatch::look(const config::Config& config, server::Gateway& gateway, TimePoint now) {
  for (const config::Upstream& upstream : config.upstreams) {
    const std::vector<server::EndpointHandle> endpoints = gateway.endpoints(upstream.name);
    judge(upstream, endpoints, gateway, now);
    publish(upstream, endpoints, gateway, now);
  }
  std::erase_if(states_, [&](const auto& state) {
    return std::none_of(config.upstreams.begin(), config.upstreams.end(),
                        [&](const auto& upstream) { return upstream.name == state.first; });
  });
}

void HealthWatch::judge(const config::Upstream& upstream,
                        const std::vector<server::EndpointHandle>& endpoints,
                        server::Gateway& gateway, TimePoint now) {
  const config::Ejection& options = upstream.ejection;
  State& state = states_[upstream.name];
  const bool wanted = options.enabled && options.mode != config::Mode::kOff &&
                      (options.success_rate.enabled || options.failure_percentage.enabled);
  if (!wanted || now - state.interval_began < options.interval) {
    return;
  }
  const bool first = state.interval_began == TimePoint{};
  state.interval_began = now;
  const auto before = std::exchange(state.before, {});
  std::vector<Tally> tallies;
  for (const server::EndpointHandle& endpoint : endpoints) {
    const Tally sum = endpoint.health->tally();
    const auto known = before.find(endpoint.health.get());
    const Tally then = known != before.end() ? known->second : Tally{};
    tallies.push_back(
        {.requests = sum.requests - then.requests, .failures = sum.failures - then.failures});
    state.before[endpoint.health.get()] = sum;
  }
  if (first) {
    return;
  }
  for (const policy::Outlier& outlier : policy::outliers(options, tallies)) {
    const int64_t now_ns = now.time_since_epoch().count();
    if (endpoints[outlier.index].health->well(now_ns) &&
        in_service(endpoints, now_ns).may_eject(options.percent_max)) {
      eject(upstream, endpoints, outlier, gateway, now_ns);
    }
  }
}

void HealthWatch::eject(const config::Upstream& upstream,
                        const std::vector<server::EndpointHandle>& endpoints,
                        const policy::Outlier& outlier, server::Gateway& gateway, int64_t now_ns) {
  const server::EndpointHandle& endpoint = endpoints[outlier.index];
  const std::string cause = cause_of(outlier);
  stats::UpstreamStats& stats = *gateway.registry().upstream(upstream.name);
  if (upstream.ejection.mode == config::Mode::kShadow) {
    stats.shadow_outliers.add();
    log::warning("event=endpoint_ejected_shadow upstream={} endpoint={} {}", upstream.name,
                 endpoint.endpoint.address, cause);
    return;
  }
  const double jitter = std::uniform_real_distribution<double>(0, 1)(random_);
  const int64_t length =
      policy::eject_unless_last(*endpoint.health, upstream.ejection, jitter, now_ns,
                                [&] { return in_service(endpoints, now_ns); });
  if (length != 0) {
    stats.outliers.add();
    log::warning("event=endpoint_ejected upstream={} endpoint={} for_ms={} {}", upstream.name,
                 endpoint.endpoint.address, length / 1'000'000, cause);
  }
}

void HealthWatch::publish(const config::Upstream& upstream,
                          const std::vector<server::EndpointHandle>& endpoints,
                          server::Gateway& gateway, TimePoint now) {
  const int64_t now_ns = now.time_since_epoch().count();
  stats::UpstreamStats::EndpointCounts counts;
  for (const server::EndpointHandle& endpoint : endpoints) {
    const policy::EndpointHealth& health = *endpoint.health;
    ++(health.order() == Order::kMaintenance                   ? counts.maintenance
       : health.order() == Order::kDrain                       ? counts.draining
       : health.ejected_for_ns(now_ns) != 0                    ? counts.ejected
       : health.check() == policy::EndpointHealth::Check::kBad ? counts.unhealthy
                                                               : counts.usable);
  }
  stats::UpstreamStats& stats = *gateway.registry().upstream(upstream.name);
  stats.set_endpoints(counts);
  const auto levels = server::levels_of(upstream, endpoints, now_ns);
  const bool panic = std::any_of(levels.begin(), levels.end(), [](const auto& level) {
    return level.panic && level.load_percent != 0;
  });
  stats.panic.set(panic ? 1 : 0);
  if (std::exchange(states_[upstream.name].panic, panic) == panic) {
    return;
  }
  if (panic) {
    log::warning(
        "event=panic_began upstream={} usable={} endpoints={} hint=\"too few endpoints "
        "are well: all are used\"",
        upstream.name, counts.usable, endpoints.size());
  } else {
    log::info("event=panic_ended upstream={} usable={} endpoints={}", upstream.name, counts.usable,
              endpoints.size());
  }
}

}  // namespace hangu::control
