// The admin endpoint's routes as plain functions: a request in, a reply out, no socket. server.h
// puts them on the wire. Control thread. What they answer is for operators and for `hangu status`,
// `reload` and `explain`, which are clients of it; secrets never come out.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hangu/admin/administrators.h"
#include "hangu/control/daemon.h"

namespace hangu::admin {

struct Request {
  std::string method;
  std::string target;  // "/explain?method=GET&url=..."
  Peer peer;
  std::string authorization;  // that field, or empty
};

struct Reply {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> fields;  // beside what every reply has
};

struct Route {
  std::string_view method;
  std::string_view path;
  Roles roles;  // who may, where there are administrators
  std::string_view summary;
};

/// Verifies a password somewhere else, and calls `done` on the control thread.
using VerifyPassword = std::function<void(const std::string& hash, std::string password,
                                          std::function<void(bool right)> done)>;

/// What the routes work on; outlives every call of `done`.
struct Context {
  control::Daemon& daemon;
  Administrators& administrators;
  VerifyPassword verify;
};

std::span<const Route> routes();

/// Calls `done` once; at once for all but POST /reload and POST /login.
void handle(const Request& request, Context& context, std::function<void(Reply)> done);

/// The error form of all admin replies (RFC 9457): type, title, status, code, detail.
Reply problem(int status, std::string_view code, std::string_view detail);

}  // namespace hangu::admin
