#include "stats/plugin_metrics.h"

#include <string_view>

#include <fmt/format.h>

namespace hangu::stats {
namespace {

struct PluginMetric {
  std::string_view name;
  std::string_view type;
  std::string_view help;
  uint64_t (*value)(const PluginStats&);
};

template <Counter PluginSlot::*Member>
uint64_t sum_of(const PluginStats& stats) {
  uint64_t sum = 0;
  for (const PluginSlot& slot : stats.slots()) {
    sum += (slot.*Member).value();
  }
  return sum;
}

constexpr PluginMetric kPluginMetrics[] = {
    {"hangu_plugin_calls_total", "counter", "Calls of a plugin's phases.",
     sum_of<&PluginSlot::calls>},
    {"hangu_plugin_time_nanoseconds_total", "counter", "Time spent in them.",
     sum_of<&PluginSlot::time_ns>},
    {"hangu_plugin_errors_total", "counter", "Calls that failed.", sum_of<&PluginSlot::errors>},
    {"hangu_plugin_overruns_total", "counter", "Calls that took longer than the budget.",
     sum_of<&PluginSlot::overruns>},
    {"hangu_plugin_replies_total", "counter", "Requests that a plugin answered.",
     sum_of<&PluginSlot::replies>},
    {"hangu_plugin_shadow_replies_total", "counter",
     "Requests that it would have answered, were it in force.",
     sum_of<&PluginSlot::shadow_replies>},
    {"hangu_plugin_allocations_total", "counter", "Allocations through the plugin interface.",
     [](const PluginStats& s) { return s.allocations.load(std::memory_order_relaxed); }},
    {"hangu_plugin_allocated_bytes", "gauge", "Of them what was not given back.",
     [](const PluginStats& s) { return s.allocated_bytes.load(std::memory_order_relaxed); }},
    {"hangu_plugin_swaps_total", "counter", "Versions that took the place of another.",
     [](const PluginStats& s) { return s.swaps.load(std::memory_order_relaxed); }},
};

}  // namespace

void add_plugins(PrometheusText& text, const Registry& registry) {
  const auto plugins = registry.plugins();
  for (const PluginMetric& metric : kPluginMetrics) {
    if (plugins.empty()) {
      break;
    }
    text.family(metric.name, metric.type, metric.help);
    for (const auto& [name, stats] : plugins) {
      text.sample(fmt::format("plugin=\"{}\"", escape_label(name)), metric.value(*stats));
    }
  }
}

}  // namespace hangu::stats
