// PluginStatus: what an operator sees of a plugin. Plain data.
#pragma once

#include <cstdint>
#include <string>

#include "hangu/base/clock.h"

namespace hangu::plugin {

struct PluginStatus {
  std::string name;
  std::string path;
  std::string title;  // the author's name for it
  std::string version;
  std::string sha256;
  std::string signed_by;
  std::string previous;  // version that a rollback brings back; empty: none
  std::string previous_sha256;
  std::string error;  // of the last swap; empty: it went well
  WallTime since;
  uint64_t versions = 0;   // mapped in all
  uint64_t instances = 0;  // in use, of all versions
};

}  // namespace hangu::plugin
