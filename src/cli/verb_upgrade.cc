// `hangu upgrade`: asks the running process to leave its place to the binary as it is now, and
// waits for what came of it.
#include <filesystem>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "hangu/admin/json.h"
#include "hangu/admin/query.h"

#include "cli/admin_client.h"
#include "cli/json_fields.h"
#include "cli/terminal.h"
#include "cli/verbs.h"

namespace hangu::cli {
namespace {

/// More than `upgrade.ready_timeout` can be.
constexpr Duration kPatience = std::chrono::minutes(11);

std::string target_for(const UpgradeOptions& options) {
  if (options.binary.empty()) {
    return "/upgrade";
  }
  std::error_code error;
  const auto path = std::filesystem::absolute(options.binary, error);
  return "/upgrade?binary=" +
         admin::percent_encode(error ? options.binary : path.lexically_normal().string());
}

}  // namespace

int upgrade(const UpgradeOptions& options, const Environment& environment) {
  const auto reply = ask_running(
      options.target, {.method = "POST", .path = target_for(options), .patience = kPatience},
      environment);
  if (!reply) {
    return reply.error();
  }
  const boost::json::object body = object_from(reply->body);
  if (options.json) {
    environment.out << admin::pretty(body) << '\n';
  } else if (reply->status == 200) {
    environment.out << fmt::format(
        "version {} serves as process {}; the old process ends with its last connection\n",
        text_field(body, "version"), number_field(body, "pid"));
  } else {
    print_error(environment, "upgrade failed: " + text_field(body, "detail"),
                "the old process goes on as before");
  }
  return reply->status == 200 ? kOk : kReloadRefused;
}

}  // namespace hangu::cli
