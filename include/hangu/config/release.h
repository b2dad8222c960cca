// How a new version of a service is released: its share of a route's requests grows by steps, under
// a guard. Part of Config; made from YAML by the loader, immutable once published.
#pragma once

#include <chrono>
#include <cstdint>

#include "hangu/base/clock.h"
#include "hangu/config/common.h"
#include "hangu/config/mode.h"

namespace hangu::config {

/// How the share of one upstream of a split grows.
struct Ramp {
  bool enabled = false;
  uint32_t to = kNoUpstream;  // index in Config::upstreams: one of the split's
  Percent from{10'000};       // of the requests that go by weight
  Percent until{Percent::kAll};
  Percent step{50'000};
  Duration every = std::chrono::minutes(10);
  bool operator==(const Ramp&) const = default;
};

enum class GuardAction : uint8_t { kRollback, kHold };

/// What the upstream that is being released is held to, compared with the others of the split.
struct ReleaseGuard {
  bool enabled = false;
  Mode mode = Mode::kEnforce;
  uint32_t requests_min = 200;  // in the window, for a judgement
  Duration window = std::chrono::minutes(1);
  Percent error_ratio_delta{10'000};
  Percent p99_delta{200'000};  // 0: latencies are not compared
  Duration p99_floor = std::chrono::milliseconds(10);
  GuardAction action = GuardAction::kRollback;
  bool operator==(const ReleaseGuard&) const = default;
};

}  // namespace hangu::config
