// The client side of the admin endpoint: one request, one reply, with time limits. Blocking; for
// the short-lived verbs only.
#pragma once

#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "hangu/base/clock.h"
#include "hangu/base/result.h"

#include "cli/verbs.h"

namespace hangu::cli {

/// Where an admin API is, and with TLS who is believed to be it.
struct AdminAddress {
  std::string text;         // "unix:/path", "127.0.0.1:9901" or "https://host:9901"
  std::string ca;           // PEM file of authorities; empty: those of the system
  std::string certificate;  // PEM files, of the caller; empty: none
  std::string key;
};

inline constexpr Duration kAdminPatience = std::chrono::seconds(15);

struct AdminQuestion {
  std::string method;
  std::string path;
  std::string authorization = {};  // that field; empty: the session of `hangu login`, if any
  std::string body = {};           // JSON
  std::string accept = {};         // that field
  std::string if_match = {};       // an ETag with its quotes; empty: whatever there is
  Duration patience = kAdminPatience;
};

struct AdminReply {
  int status = 0;
  std::string body;
};

/// Where the running process listens. The error says why nobody knows.
Result<AdminAddress, std::string> find_admin(const AdminTarget& target);

/// The error says what is wrong with the address, or on the way.
Result<AdminReply, std::string> ask_admin(const AdminAddress& address,
                                          const AdminQuestion& question);

/// The same for verbs: what goes wrong the user is told, and the exit code is the error.
Result<AdminAddress, int> find_running(const AdminTarget& target, const Environment& environment);
Result<AdminReply, int> ask_running(const AdminAddress& address, const AdminQuestion& question,
                                    const Environment& environment);
/// Both in one.
Result<AdminReply, int> ask_running(const AdminTarget& target, const AdminQuestion& question,
                                    const Environment& environment);
/// The object it answers with 200. Of any other status the user is told, too; `hint`: what shows
/// the names there are, when there is none of that name.
Result<boost::json::object, int> answer_of_running(const AdminTarget& target,
                                                   const AdminQuestion& question,
                                                   std::string_view hint,
                                                   const Environment& environment);

}  // namespace hangu::cli
