#include "stats/split_metrics.h"

#include <string>
#include <vector>

#include <fmt/format.h>

namespace hangu::stats {
namespace {

std::string labels_of(const SplitPartName& name) {
  return fmt::format("route=\"{}\",upstream=\"{}\",version=\"{}\"", escape_label(name.route),
                     escape_label(name.upstream), escape_label(name.version));
}

uint64_t sum_of(const SplitPartStats& stats, Counter SplitPartSlot::*member) {
  uint64_t sum = 0;
  for (const SplitPartSlot& slot : stats.slots()) {
    sum += (slot.*member).value();
  }
  return sum;
}

}  // namespace

void add_splits(PrometheusText& text, const Registry& registry) {
  const Registry::SplitParts parts = registry.split_parts();
  if (parts.empty()) {
    return;
  }
  text.family("hangu_split_requests_total", "counter",
              "Requests of a route by the upstream of its split that they went to.");
  for (const auto& [name, stats] : parts) {
    text.sample(labels_of(name), sum_of(*stats, &SplitPartSlot::requests));
  }
  text.family("hangu_split_errors_total", "counter",
              "Those of them that failed, and not by the client's doing.");
  for (const auto& [name, stats] : parts) {
    text.sample(labels_of(name), sum_of(*stats, &SplitPartSlot::errors));
  }
  text.family("hangu_split_latency_seconds", "histogram",
              "From the first byte of the request until the response began.");
  for (const auto& [name, stats] : parts) {
    std::vector<const Histogram*> histograms;
    for (const SplitPartSlot& slot : stats->slots()) {
      histograms.push_back(&slot.latency);
    }
    text.histogram(labels_of(name), histograms);
  }
}

}  // namespace hangu::stats
