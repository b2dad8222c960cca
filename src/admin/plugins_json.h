// Plugins: what the admin API shows of them, and swaps.
#pragma once

#include <string_view>

#include <boost/json.hpp>

#include "hangu/admin/routes.h"
#include "hangu/control/daemon.h"

namespace hangu::admin {

/// {"plugins": [...]}: versions, digests, calls, time.
boost::json::object plugins_json(control::Daemon& daemon);

/// ?name=NAME&change=swap or rollback
Reply change_plugin(const Caller& caller, std::string_view query, control::Daemon& daemon);

}  // namespace hangu::admin
