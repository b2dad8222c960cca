// What the plugins of a config say of it: loads them and has them check what routes tell them, as
// the gateway would, but serves nothing and leaves no file behind. Reads files; not for shards.
#pragma once

#include <vector>

#include "hangu/config/config.h"
#include "hangu/config/diagnostic.h"

namespace hangu::server {

/// Errors, with their places in the config's file.
std::vector<config::Diagnostic> check_plugins(const config::Config& config);

}  // namespace hangu::server
