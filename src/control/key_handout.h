// What a KeyFetcher tells, for the gateway.
#pragma once

#include <string>

#include "hangu/control/key_fetcher.h"
#include "hangu/server/gateway.h"

namespace hangu::control {

/// Counts the fetch that led to it, and hands the keys to the shards.
void give_keys(server::Gateway& gateway, const std::string& authenticator, KeyNews news);

}  // namespace hangu::control
