// The part of `explain` that tells what the gateway would answer by itself: refusals of a route's
// filters, redirects and answers that it holds.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <boost/json.hpp>

#include "hangu/base/error.h"
#include "hangu/config/config.h"

#include "admin/asked_request.h"

namespace hangu::admin {

/// {"status": 404, "code": "route.none", "detail": "..."}; of an empty `detail`, the error's own.
boost::json::object error_reply(const Error& error, std::string_view detail);

/// What ClientFilter decides of one address.
struct ClientVerdict {
  bool passes = true;
  std::string rule;   // "deny" or "allow": the list that decided; empty: none had to
  std::string entry;  // of it: "10.6.6.0/24", "10.6.6.0/24 of /etc/hangu/blocked.txt"; empty: the
                      // address is in none of those allowed
};

ClientVerdict judge_client(const config::Clients& clients, std::string_view ip);

/// The refusal, if there is one: of a route with `clients` in force and a known client.
std::optional<boost::json::object> client_refusal(const config::Route& route,
                                                  const AskedRequest& request);

/// What CorsFilter answers in the place of the route, if it does. `preflight`: the method that the
/// request asks about, see policy::preflight_method(); empty: it is none.
std::optional<boost::json::object> cors_reply(const config::Route& route,
                                              std::string_view preflight, const Target& target,
                                              const AskedRequest& request);

/// Of a route that needs no upstream.
boost::json::object own_answer(const config::Route& route, const Target& target,
                               const AskedRequest& request);

/// Path and query by a regular expression, as rewrites and redirects make them; nullopt: it does
/// not match, or there is none.
std::optional<std::string> substituted(const std::string& regex, const std::string& substitution,
                                       const AskedRequest& request);

/// `path` with captures in their places.
std::string path_with_captures(const config::Route& route, const std::string& path,
                               const policy::Captures& captures);

}  // namespace hangu::admin
