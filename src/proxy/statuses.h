// Lists of statuses, as the config has them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace hangu::proxy {

inline bool contains(const std::vector<uint32_t>& statuses, int status) {
  return std::find(statuses.begin(), statuses.end(), static_cast<uint32_t>(status)) !=
         statuses.end();
}

}  // namespace hangu::proxy
