// What follows from the config of an authenticator.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hangu/config/identity.h"

namespace hangu::config {

/// Where logins come back to: a path without query.
std::string callback_path_of(const OidcAuth& oidc);

/// Whether the issuer's metadata are needed.
bool discovers(const OidcAuth& oidc);

/// Without `__Host-`.
std::string session_cookie_of(const Authenticator& authenticator);

/// An issuer whose keys have to be fetched; nullptr: there are none.
const JwtAuth* fetched_keys_of(const Authenticator& authenticator);

/// Claims that the upstream gets in fields.
const std::vector<ClaimHeader>& claim_headers_of(const Authenticator& authenticator);

/// The path of an address of HTTP, with its query; at least "/".
std::string_view target_of_uri(std::string_view uri);

}  // namespace hangu::config
