// `hangu status`: what the running process is doing; `--ready` is the health check of containers.
#include <boost/json.hpp>

#include "hangu/admin/json.h"

#include "cli/admin_client.h"
#include "cli/json_fields.h"
#include "cli/status_text.h"
#include "cli/terminal.h"
#include "cli/verbs.h"

namespace hangu::cli {
namespace {

namespace json = boost::json;

int print_readiness(const AdminAddress& address, const Environment& environment) {
  const auto reply = ask_admin(address, {.method = "GET", .path = "/ready"});
  if (!reply) {
    print_error(environment, reply.error());
    return kRuntimeFailure;
  }
  if (reply->status == 200) {
    environment.out << "ready\n";
    return kOk;
  }
  environment.out << "not ready: " << text_field(object_from(reply->body), "detail") << '\n';
  return kRuntimeFailure;
}

}  // namespace

int status(const StatusOptions& options, const Environment& environment) {
  const auto address = find_admin(options.target);
  if (!address) {
    print_error(environment, address.error());
    return kRuntimeFailure;
  }
  if (options.ready) {
    return print_readiness(*address, environment);
  }
  const auto reply = ask_admin(*address, {.method = "GET", .path = "/status"});
  if (!reply || reply->status != 200) {
    print_error(environment, reply ? text_field(object_from(reply->body), "detail") : reply.error(),
                reply ? "" : "is it running? `hangu run` starts it");
    return kRuntimeFailure;
  }
  const json::object body = object_from(reply->body);
  if (options.json) {
    environment.out << admin::pretty(body) << '\n';
    return kOk;
  }
  print_status(body, environment);
  return kOk;
}

}  // namespace hangu::cli
