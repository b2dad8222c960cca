// TrafficMeter: what this node has served, between two moments: how many requests, how many of them
// failed, and how long the slowest took. It reads the shards' counters, which others write. Control
// thread.
#pragma once

#include <array>
#include <cstdint>
#include <deque>

#include "hangu/base/clock.h"
#include "hangu/fleet/rollout.h"
#include "hangu/stats/registry.h"

namespace hangu::control {

class TrafficMeter {
 public:
  explicit TrafficMeter(const stats::Registry& registry);

  /// Now and then, for before(): what is older than kKept is forgotten.
  void note(TimePoint now);

  /// Begins to count anew.
  void restart();

  /// The same, and what came before is that of the last kKept.
  void restart_after_quiet();

  fleet::Served since_restart() const;

  /// Of a while before the last restart_after_quiet().
  const fleet::Served& before() const { return before_; }

  static constexpr Duration kKept = std::chrono::minutes(1);
  static constexpr Duration kInterval = std::chrono::seconds(5);

 private:
  struct Totals {
    uint64_t errors = 0;
    std::array<uint64_t, stats::Histogram::kBuckets> latency{};
  };

  struct Note {
    TimePoint time;
    Totals totals;
  };

  Totals read() const;
  static fleet::Served between(const Totals& from, const Totals& to);

  const stats::Registry& registry_;
  std::deque<Note> notes_;
  Totals start_;
  fleet::Served before_;
};

}  // namespace hangu::control
