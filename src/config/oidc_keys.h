// The keys of logins at an OpenID Connect provider.
#pragma once

#include "hangu/config/config.h"

#include "config/type.h"

namespace hangu::config {

TypePtr<OidcAuth> oidc_auth_keys();

}  // namespace hangu::config
