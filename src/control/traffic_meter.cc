#include "hangu/control/traffic_meter.h"

namespace hangu::control {
namespace {

using stats::Histogram;

double floor_us(size_t bucket) {
  return static_cast<double>(Histogram::lowest_us(bucket));
}

/// The quantile of counts by bucket, as if each bucket's were spread evenly.
uint64_t quantile_us(const std::array<uint64_t, Histogram::kBuckets>& counts, uint64_t total,
                     double quantile) {
  double left = quantile * static_cast<double>(total);
  for (size_t i = 0; i < counts.size(); ++i) {
    const auto count = static_cast<double>(counts[i]);
    if (count != 0 && left <= count) {
      const double width = i + 1 < counts.size() ? floor_us(i + 1) - floor_us(i) : 0;
      return static_cast<uint64_t>(floor_us(i) + width * left / count);
    }
    left -= count;
  }
  return 0;
}

}  // namespace

TrafficMeter::TrafficMeter(const stats::Registry& registry)
    : registry_(registry),
      start_(read()) {}

TrafficMeter::Totals TrafficMeter::read() const {
  Totals totals;
  for (uint32_t shard = 0; shard < registry_.shards(); ++shard) {
    const stats::ShardStats& stats = registry_.shard(shard);
    totals.errors += stats.errors.value();
    for (size_t i = 0; i < totals.latency.size(); ++i) {
      totals.latency[i] += stats.latency.bucket(i);
    }
  }
  return totals;
}

fleet::Served TrafficMeter::between(const Totals& from, const Totals& to) {
  fleet::Served served;
  std::array<uint64_t, Histogram::kBuckets> counts;
  for (size_t i = 0; i < counts.size(); ++i) {
    counts[i] = to.latency[i] - from.latency[i];
    served.requests += counts[i];
  }
  served.errors = to.errors - from.errors;
  served.p99_us = quantile_us(counts, served.requests, 0.99);
  return served;
}

void TrafficMeter::note(TimePoint now) {
  if (!notes_.empty() && now - notes_.back().time < kInterval) {
    return;
  }
  while (!notes_.empty() && now - notes_.front().time > kKept) {
    notes_.pop_front();
  }
  notes_.push_back({now, read()});
}

void TrafficMeter::restart() {
  start_ = read();
  notes_.clear();
}

void TrafficMeter::restart_after_quiet() {
  const Totals from = notes_.empty() ? start_ : notes_.front().totals;
  restart();
  before_ = between(from, start_);
}

fleet::Served TrafficMeter::since_restart() const {
  return between(start_, read());
}

}  // namespace hangu::control
