#include "stats/forward_auth_metrics.h"

#include <string_view>
#include <vector>

namespace hangu::stats {
namespace {

using Services = Registry::ByName<ForwardAuthStats>;

struct Decision {
  std::string_view name;
  Counter ForwardAuthSlot::*counter;
};

constexpr Decision kDecisions[] = {{"allowed", &ForwardAuthSlot::allowed},
                                   {"refused", &ForwardAuthSlot::refused},
                                   {"shadow_refused", &ForwardAuthSlot::shadow_refused},
                                   {"errors_allowed", &ForwardAuthSlot::errors_allowed}};

template <class Count>
uint64_t sum_of(const ForwardAuthStats& stats, Count count) {
  uint64_t sum = 0;
  for (const ForwardAuthSlot& slot : stats.slots()) {
    sum += count(slot);
  }
  return sum;
}

std::string label_of(const std::string& name) {
  return fmt::format("forward_auth=\"{}\"", escape_label(name));
}

void add_errors(PrometheusText& text, const Services& services) {
  text.family("hangu_forward_auth_errors_total", "counter",
              "Requests of which a service could not say whether they are allowed.");
  for (const auto& [name, stats] : services) {
    for (size_t i = 0; i < kForwardAuthErrors.size(); ++i) {
      text.sample(fmt::format("{},reason=\"{}\"", label_of(name), kForwardAuthErrors[i]),
                  sum_of(*stats, [i](const ForwardAuthSlot& s) { return s.errors[i].value(); }));
    }
  }
}

void add_latency(PrometheusText& text, const Services& services) {
  text.family("hangu_forward_auth_duration_seconds", "histogram",
              "From the question to the whole answer, or until it was given up.");
  for (const auto& [name, stats] : services) {
    std::vector<const Histogram*> parts;
    for (const ForwardAuthSlot& slot : stats->slots()) {
      parts.push_back(&slot.latency);
    }
    text.histogram(label_of(name), parts);
  }
}

}  // namespace

void add_forward_auths(PrometheusText& text, const Registry& registry) {
  const Services services = registry.forward_auths();
  if (services.empty()) {
    return;
  }
  text.family("hangu_forward_auth_requests_total", "counter",
              "Requests by what an authorization service decided.");
  for (const auto& [name, stats] : services) {
    for (const Decision& decision : kDecisions) {
      text.sample(
          fmt::format("{},decision=\"{}\"", label_of(name), decision.name),
          sum_of(*stats, [&](const ForwardAuthSlot& s) { return (s.*decision.counter).value(); }));
    }
  }
  add_errors(text, services);
  text.family("hangu_forward_auth_cache_hits_total", "counter",
              "Requests that were decided as one like them before.");
  for (const auto& [name, stats] : services) {
    text.sample(label_of(name),
                sum_of(*stats, [](const ForwardAuthSlot& s) { return s.cached.value(); }));
  }
  text.family("hangu_forward_auth_active", "gauge", "Requests that wait for an answer.");
  for (const auto& [name, stats] : services) {
    text.sample(label_of(name),
                sum_of(*stats, [](const ForwardAuthSlot& s) { return s.active.value(); }));
  }
  add_latency(text, services);
}

}  // namespace hangu::stats
