// The client side of the admin endpoint: one request, one reply, with time limits. Blocking; for
// the short-lived verbs only.
#pragma once

#include <string>

#include "hangu/base/clock.h"
#include "hangu/base/result.h"

#include "cli/verbs.h"

namespace hangu::cli {

struct AdminReply {
  int status = 0;
  std::string body;
};

inline constexpr Duration kAdminPatience = std::chrono::seconds(15);

/// Where the running process listens: "unix:/path" or "127.0.0.1:9901". The error says why nobody
/// knows.
Result<std::string, std::string> find_admin(const AdminTarget& target);

/// `authorization`: that field; empty: the session of `hangu login`, if there is one. `patience`:
/// with the answer.
Result<AdminReply, std::string> ask_admin(const std::string& address, const std::string& method,
                                          const std::string& path,
                                          const std::string& authorization = {},
                                          Duration patience = kAdminPatience);

/// Both in one, for a verb: when nobody answers, the user is told, and the exit code is the error.
Result<AdminReply, int> ask_running(const AdminTarget& target, const std::string& method,
                                    const std::string& path, const Environment& environment,
                                    Duration patience = kAdminPatience);

}  // namespace hangu::cli
