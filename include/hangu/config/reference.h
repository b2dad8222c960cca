// What the table of keys (src/config/schema.cc) says, in four forms: rows, JSON Schema, Markdown
// and a commented YAML. docs/config.md and config/reference.yaml are these texts; a test holds them
// equal. Pure functions; any thread.
#pragma once

#include <string>
#include <vector>

#include "hangu/config/print.h"

namespace hangu::config {

struct KeyInfo {
  std::string path;           // "listeners[].timeouts.idle"
  std::string type;           // "duration"
  std::string default_text;   // as written in YAML; empty for a required key
  std::string limits;         // "1ms … 1h", may be empty
  std::string documentation;  // sentences
  std::string example;        // a valid value that is not the default
  ReloadClass reload = ReloadClass::kLive;
  std::string since;  // the version that brought it
  bool required = false;
};

/// Every key that holds a value (not the mappings that group them), in the order of the reference.
std::vector<KeyInfo> config_keys();

std::string json_schema();      // 2020-12, pretty-printed
std::string config_markdown();  // docs/config.md
std::string reference_yaml();   // config/reference.yaml

}  // namespace hangu::config
