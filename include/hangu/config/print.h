// Printing a Config back: `hangu check --print`, `hangu diff` and the reload report. Secrets
// (header values from ${ENV}, file: or of authorization-like fields) come out as "***". Pure
// functions over an immutable Config; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hangu/config/config.h"

namespace hangu::config {

/// Complete YAML with every default filled in. Without secrets it loads back to an equal Config
/// (but for source_path and generation).
std::string print_effective(const Config& config);

/// When a changed key takes effect.
enum class ReloadClass : uint8_t {
  kLive,            // with the next request
  kNewConnections,  // with the next connection
  kRestart,         // only when the process starts anew
};

const char* to_string(ReloadClass reload) noexcept;

struct KeyChange {
  std::string path;    // "listeners[web].timeouts.idle"; list elements by their names
  std::string before;  // as in YAML; empty: was not there
  std::string after;   // empty: is gone
  ReloadClass reload = ReloadClass::kLive;
  bool operator==(const KeyChange&) const = default;
};

/// Every key whose value differs, in the order of the reference.
std::vector<KeyChange> changed_keys(const Config& before, const Config& after);

/// As it is written: "header:x-tenant".
std::string format_key_part(const KeyPart& part);

}  // namespace hangu::config
