// explain: what the gateway would do with a request, and why: every route in the order it is tried,
// the one that wins, where it goes and what is changed on the way. `hangu explain` and GET /explain
// are the same function and the same JSON. Pure over an immutable Config; any thread; sends
// nothing.
#pragma once

#include <string>
#include <vector>

#include <boost/json/fwd.hpp>

#include "hangu/base/result.h"
#include "hangu/config/config.h"
#include "hangu/server/gateway.h"

namespace hangu::admin {

struct ExplainRequest {
  std::string method = "GET";
  std::string url;                   // absolute; see parse_url()
  std::vector<std::string> headers;  // "Name: value"
};

/// With `live`, endpoints are those in use now; without, those of the config. The error says what
/// is wrong with the request itself.
Result<boost::json::object, std::string> explain(const config::Config& config,
                                                 const ExplainRequest& request,
                                                 const server::GatewayStatus* live);

/// The same for people; `color` with ANSI colours.
std::string explanation_text(const boost::json::object& explanation, bool color);

}  // namespace hangu::admin
