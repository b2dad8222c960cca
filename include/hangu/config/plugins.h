// Plugins as the config names them, and what routes use of them: part of Config, see config.h.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "hangu/base/clock.h"
#include "hangu/config/mode.h"

namespace hangu::config {

/// What becomes of a request whose plugin failed.
enum class PluginError : uint8_t { kRefuse, kPass };

/// Where in the config file something was given; nothing that configs differ by.
struct SourcePlace {
  uint32_t line = 0;  // from 1; 0: not known
  uint32_t column = 0;

  bool operator==(const SourcePlace&) const { return true; }
};

/// A shared object with the interface of hangu/plugin.h.
struct Plugin {
  std::string name;
  std::string path;
  std::string sha256;                     // the file must have it, 64 digits; empty: any
  std::vector<std::string> trusted_keys;  // PEM, Ed25519; one must have signed it; empty: none need
  std::string signature;                  // file with it; empty: the path with ".sig"
  Duration budget = std::chrono::milliseconds(1);  // of a call
  PluginError on_error = PluginError::kRefuse;
  bool watch = false;  // takes a new file as soon as it is there
  SourcePlace place;   // of the path
  bool operator==(const Plugin&) const = default;
};

/// Where in the config file a part of a plugin's own config was given.
struct PluginPlace {
  std::string pointer;  // JSON pointer (RFC 6901)
  SourcePlace place;
};

/// What a plugin is told, as JSON. Hangu knows nothing of its keys.
struct PluginConfig {
  std::string json = "{}";
  std::string masked = "{}";        // the same without secrets
  std::vector<PluginPlace> places;  // the whole first

  bool operator==(const PluginConfig& other) const { return json == other.json; }
};

/// One plugin in the chain of a route.
struct PluginUse {
  uint32_t plugin = 0;  // index in Config::plugins
  Mode mode = Mode::kEnforce;
  PluginConfig config;
  bool operator==(const PluginUse&) const = default;
};

inline constexpr size_t kPluginsMax = 8;  // of a route

}  // namespace hangu::config
