// The table of the admin API: every route once, with who may use it and what answers it. The index,
// the dispatcher and the OpenAPI description walk it.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "hangu/admin/routes.h"

namespace hangu::admin {

using Done = std::function<void(Reply)>;

/// A request of somebody who may.
struct Admitted {
  const Request& request;
  std::string_view query;
  const Caller& caller;
  std::string key;  // "routes/users", of a path with {list}/{name}
};

struct FoundRoute {
  const Route* route = nullptr;  // nullptr: no such path, or not with that method
  std::string key;
  std::string allowed;  // methods of that path, for Allow; empty: no such path
};

FoundRoute find_route(std::string_view method, std::string_view path);

/// "sysadmin", ...
std::vector<std::string_view> role_names(Roles roles);

}  // namespace hangu::admin
