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
  std::string content_type = {};
  std::string accept = {};
  std::string if_match = {};
  std::string if_none_match = {};
  std::string body = {};
};

struct Reply {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> fields;  // beside what every reply has
};

struct Context;
struct Admitted;

/// A parameter of the query, or a field of the head.
struct Parameter {
  std::string_view name;
  std::string_view documentation = {};
  std::string_view words = {};  // that it may be: "read|export"; empty: any text
  bool required = false;
};

/// One of the answers that are no problem.
struct Answer {
  int status = 200;
  std::string_view type = {};    // of its body; empty: it has none
  std::string_view schema = {};  // one of openapi_schemas.cc; empty: text
};

/// What clients need to know of a route.
struct Interface {
  std::span<const Parameter> query = {};
  std::span<const Parameter> fields = {};
  std::string_view body = {};  // a schema, of JSON; empty: none
  std::span<const Answer> answers = {};
};

struct Route {
  std::string_view method;
  std::string_view path;  // may end with /{list}/{name}
  Roles roles;            // who may, where there are administrators
  std::string_view summary;
  void (*answer)(const Admitted&, Context&, std::function<void(Reply)>);
  Interface api;
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

/// Whether its body may be as long as documents are: of a request whose head has been read.
bool takes_documents(const Request& request, Context& context);

/// Calls `done` once, at once or later.
void handle(const Request& request, Context& context, std::function<void(Reply)> done);

/// The error form of all admin replies (RFC 9457): type, title, status, code, detail.
Reply problem(int status, std::string_view code, std::string_view detail);

}  // namespace hangu::admin
