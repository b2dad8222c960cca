// Issuer: what is known of who signs tokens: its keys, and what its own metadata say of it (OpenID
// Connect Discovery §3). Plain data; any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "hangu/base/result.h"
#include "hangu/identity/jwk_set.h"

namespace hangu::identity {

/// Addresses of HTTP; empty: it has no such thing.
struct ProviderMetadata {
  std::string jwks_uri;
  std::string authorization_endpoint;
  std::string token_endpoint;
  std::string end_session_endpoint;

  bool operator==(const ProviderMetadata&) const = default;
};

/// They have to be of that issuer. The error is one line for an operator.
Result<ProviderMetadata, std::string> parse_provider_metadata(std::string_view json,
                                                              std::string_view issuer);

struct Issuer {
  std::shared_ptr<const JwkSet> keys;                // nullptr: there are none
  std::shared_ptr<const ProviderMetadata> provider;  // nullptr: nobody has asked, or answered
};

}  // namespace hangu::identity
