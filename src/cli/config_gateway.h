// `hangu config get` and `push` where there is no config centre: what a gateway keeps itself, by
// its admin API (`admin.writable`).
#pragma once

#include "hangu/cli/cli.h"

#include "cli/verbs.h"

namespace hangu::cli {

/// A gateway is named, or asked over TLS, or the config names no config centre.
bool is_about_a_gateway(const ConfigChangeOptions& options);

int get_from_gateway(const ConfigChangeOptions& options, const Environment& environment);
int push_to_gateway(const ConfigChangeOptions& options, const Environment& environment);

}  // namespace hangu::cli
