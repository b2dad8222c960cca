// Checks of logins at an OpenID Connect provider.
#pragma once

#include "hangu/config/config.h"

#include "config/reader.h"
#include "config/rules.h"

namespace hangu::config {

extern const TextRule kPlainPathRule;

void check_oidc(Reader& reader, const Node& node, const OidcAuth& oidc);

/// Logins whose cookies or paths are those of others.
void check_logins(Reader& reader, const Node& root, const Config& config);

/// Logins that come back to a path that no route of theirs has.
void check_callbacks(Reader& reader, const Node& root, const Config& config);

}  // namespace hangu::config
