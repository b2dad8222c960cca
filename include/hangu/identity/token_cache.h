// TokenCache: tokens that were verified lately, by the whole token, so that the next request with
// one costs a hash and a comparison. The caller's time is Unix time.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "hangu/identity/recent_cache.h"

namespace hangu::identity {

/// What of a token requests need, ready for use.
struct TokenFacts {
  std::string consumer;
  std::string id;
  std::vector<std::string> groups;
  std::vector<std::string> scopes;
  std::vector<std::pair<std::string, std::string>> claims;  // name and value
};

using TokenCache = RecentCache<TextKeys, TokenFacts>;

}  // namespace hangu::identity
