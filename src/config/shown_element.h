// How an element is shown: its node without secrets, as YAML and JSON.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "hangu/config/config.h"
#include "hangu/config/element.h"

#include "config/yaml_tree.h"

namespace hangu::config {

/// The secrets in the element of that key ("routes/users"), as they are in force.
std::set<std::string> secrets_of(const Config& config, std::string_view key);

/// How secrets are known: by the table of keys, as far as that has read them, or by their names.
struct Secrets {
  std::set<std::string> texts;
  bool by_name = false;  // of what nobody has read
};

void show(const Node& node, const Secrets& secrets, Element& out);

}  // namespace hangu::config
