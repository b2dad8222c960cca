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
#include "hangu/control/release_controller.h"
#include "hangu/server/gateway.h"

namespace hangu::admin {

struct ExplainRequest {
  std::string method = "GET";
  std::string url;                   // absolute; see parse_url()
  std::vector<std::string> headers;  // "Name: value"
  std::string client{};              // the peer's address; empty: not known
};

/// What a process that runs knows beside its config.
struct Live {
  const server::GatewayStatus* gateway = nullptr;
  std::vector<control::ReleaseStatus> releases;
};

/// Where nothing is known, endpoints are those of the config and releases are at their beginning.
/// The error says what is wrong with the request itself.
Result<boost::json::object, std::string> explain(const config::Config& config,
                                                 const ExplainRequest& request, const Live& live);

/// The same for people; `color` with ANSI colours.
std::string explanation_text(const boost::json::object& explanation, bool color);

}  // namespace hangu::admin
