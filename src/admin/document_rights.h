// Which administrator may change what: who runs the gateway does not decide who may use it, and the
// other way round. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "hangu/config/admin.h"

namespace hangu::admin {

/// Why not; empty: they may. Without a text there is no such document, before or afterwards.
std::string refused_change(config::AdminRole role, std::string_view key,
                           const std::optional<std::string>& before,
                           const std::optional<std::string>& after);

}  // namespace hangu::admin
