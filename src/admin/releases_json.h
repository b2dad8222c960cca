// Releases: what the admin API and the metrics show of them, and operators' orders.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>

#include "hangu/admin/routes.h"
#include "hangu/control/daemon.h"

namespace hangu::admin {

/// Where each stands, why, and what its guard has seen.
boost::json::array releases_json(const std::vector<control::ReleaseStatus>& releases);

/// ?route=NAME&order=pause, resume, promote or abort
Reply order_release(const Caller& caller, std::string_view query, control::Daemon& daemon);

/// Nothing without any.
std::string release_metrics(const std::vector<control::ReleaseStatus>& releases);

}  // namespace hangu::admin
