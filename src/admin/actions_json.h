// What a route does to a request and its response on the way, for explain().
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>

#include "hangu/base/clock.h"
#include "hangu/config/config.h"

namespace hangu::admin {

/// [{"action": "cors", "does": "..."}], in the order in which a request meets them: what is in
/// force, with "mode": "shadow" where it only talks.
boost::json::array actions_json(const config::Config& config, const config::Route& route);

/// [{"name": "per-client", "limit": "5/s", ...}]: of the route, without those that are off.
boost::json::array rate_limits_json(const config::Config& config, const config::Route& route);

/// " (shadow: only logged)", or nothing.
std::string_view mode_text(config::Mode mode);

/// One element of a list such as actions_json() makes: {`key`: `name`, "does": `text`}.
boost::json::object action_json(std::string_view key, std::string_view name, std::string text,
                                config::Mode mode);

std::string breaker_text(const config::CircuitBreaker& breaker);

std::string key_text(const std::vector<config::KeyPart>& key);

}  // namespace hangu::admin
