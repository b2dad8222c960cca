// JSON forms of what the control plane knows: /status, reload reports. Pure; any thread. The field
// names are a promise to scripts: tests/golden/admin holds them.
#pragma once

#include <ctime>
#include <string>
#include <vector>

#include <boost/json/fwd.hpp>

#include "hangu/control/daemon.h"

namespace hangu::admin {

/// The endpoints of all upstreams: their health, the last answers to checks, their orders.
boost::json::object upstreams_json(const control::DaemonStatus& status);
boost::json::object status_json(const control::DaemonStatus& status, std::time_t now);
boost::json::object reload_json(const control::ReloadOutcome& outcome);
/// Without the lines of documents: who asks has not written them.
boost::json::array diagnostics_json(std::vector<config::Diagnostic> diagnostics);

/// "2026-01-31T12:00:00Z"
std::string format_wall_time(WallTime time);

/// Indented by two, for people; objects keep their order.
std::string pretty(const boost::json::value& value);

}  // namespace hangu::admin
