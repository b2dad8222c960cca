// LoadSampler: measures the process for `overload`: memory and descriptors against their limits,
// and the step that they call for. Control thread only.
#pragma once

#include <cstdint>
#include <optional>

#include "hangu/config/config.h"
#include "hangu/policy/overload.h"
#include "hangu/server/gateway.h"
#include "hangu/stats/overload_stats.h"

namespace hangu::server {

/// Memory that this process may use: the least limit of its cgroup and those above, else the
/// machine's memory.
uint64_t available_memory_bytes();

/// Resident memory of this process; 0 when that cannot be told.
uint64_t resident_memory_bytes();

/// Descriptors that this process has open, and how many it may.
uint64_t open_descriptors();
uint64_t descriptors_limit();

/// Whether anything is measured for it.
bool is_on(const config::Overload& overload);

class LoadSampler {
 public:
  explicit LoadSampler(stats::OverloadStats& stats)
      : stats_(stats) {}

  /// Looks, notes and logs what has changed; the step that the process as a whole has come to, if
  /// it is another than before.
  std::optional<policy::OverloadStep> sample(const config::Overload& overload, TimePoint now);

  /// When to look again.
  static Duration interval(const config::Overload& overload);

 private:
  policy::OverloadStep look(const config::Overload& overload, TimePoint now);

  policy::OverloadStep step_ = policy::OverloadStep::kNone;
  policy::StepTracker<uint32_t> memory_;
  policy::StepTracker<uint32_t> descriptors_;
  stats::OverloadStats& stats_;
};

OverloadStatus overload_status(const config::Overload& overload, const stats::OverloadStats& stats);

}  // namespace hangu::server
