// The steps from a tree of nodes to a Config that Assembly and the loader of files have in common.
#pragma once

#include <vector>

#include "hangu/config/config.h"
#include "hangu/config/load.h"

#include "config/reader.h"
#include "config/yaml_tree.h"

namespace hangu::config {

/// What is wrong with a text without anything in it.
Problem empty_file();

void report_problems(Reader& reader, std::vector<YamlProblem>& problems);

/// Reads the mapping at the top and checks the whole.
void read_root(Reader& reader, const Node& root, Config& config);

/// Config::node, where the file does not say.
void name_node(Config& config, const LoadOptions& options);

}  // namespace hangu::config
