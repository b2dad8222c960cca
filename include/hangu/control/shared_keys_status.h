// SharedKeysStatus: what a node has of the keys that its fleet has in common. Plain data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "hangu/base/clock.h"

namespace hangu::control {

struct SharedKeysStatus {
  bool enabled = false;
  uint64_t generation = 0;  // in force; 0: none, the process uses its own
  std::string sealing;      // id of the key that seals
  WallTime since;           // when that was made
  size_t keys = 0;          // that open
  std::string error;        // why those in the store are not in force; empty: they are
};

}  // namespace hangu::control
