// What policies of all kinds are configured with.
#pragma once

#include <cstdint>

namespace hangu::config {

/// Whether a policy acts, only says what it would have done, or does nothing.
enum class Mode : uint8_t { kEnforce, kShadow, kOff };

/// A share of all requests.
struct Percent {
  static constexpr uint32_t kAll = 1'000'000;

  uint32_t millionths = kAll;
  bool operator==(const Percent&) const = default;
};

}  // namespace hangu::config
