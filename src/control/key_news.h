// What becomes of the keys of a token issuer once they are fetched. Control thread.
#pragma once

#include <string>

#include "hangu/control/key_fetcher.h"
#include "hangu/server/gateway.h"

namespace hangu::control {

/// Counts it, and lets the shards know. nullptr: there are none any more.
void take_keys(server::Gateway* gateway, const std::string& authenticator, KeyNews news);

}  // namespace hangu::control
