// The admin endpoint's routes as plain functions: a request in, a reply out, no socket. server.h
// puts them on the wire. Control thread. What they answer is for operators and for `hangu status`,
// `reload` and `explain`, which are clients of it; secrets never come out.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "hangu/control/daemon.h"

namespace hangu::admin {

struct Request {
  std::string method;
  std::string target;  // "/explain?method=GET&url=..."
  std::string actor;   // who asks, as far as the socket tells: "uid=0 pid=12"
};

struct Reply {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::string allow;  // of a 405
};

struct Route {
  std::string_view method;
  std::string_view path;
  std::string_view summary;
};

std::span<const Route> routes();

/// Calls `done` once; at once for all but POST /reload.
void handle(const Request& request, control::Daemon& daemon, std::function<void(Reply)> done);

/// The error form of all admin replies (RFC 9457): type, title, status, code, detail.
Reply problem(int status, std::string_view code, std::string_view detail);

}  // namespace hangu::admin
