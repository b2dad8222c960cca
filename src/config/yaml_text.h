// yaml_text: a node as text again, in block style; comments and aliases are gone.
#pragma once

#include <string>

#include "config/yaml_tree.h"

namespace hangu::config {

/// Reading it gives the same tree. `without`: a key of the mapping that is left out.
std::string yaml_text(const Node& node, std::string_view without = {});

}  // namespace hangu::config
