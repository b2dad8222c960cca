// `hangu certs`: the certificates that the running process serves, and how long they are good.
#include <boost/json.hpp>
#include <fmt/format.h>

#include "hangu/admin/json.h"

#include "cli/admin_client.h"
#include "cli/json_fields.h"
#include "cli/terminal.h"
#include "cli/verbs.h"

namespace hangu::cli {
namespace {

namespace json = boost::json;

constexpr int64_t kDaysToWarn = 30;

void print_row(const json::object& row, const Palette& palette, const Environment& environment) {
  const int64_t days = signed_field(row, "days_left");
  const std::string_view color = days < 0              ? palette.red
                                 : days <= kDaysToWarn ? palette.yellow
                                                       : palette.green;
  environment.out << fmt::format(
      "{:<16} {:<16} {}{:>9}{}  {}\n", text_field(row, "listener"), text_field(row, "key"), color,
      days < 0 ? "expired" : fmt::format("{} days", days), palette.off, text_field(row, "names"));
  environment.out << fmt::format("{:<16} {}, issued by {}\n", "", text_field(row, "subject"),
                                 text_field(row, "issuer"));
  environment.out << fmt::format("{:<16} {} to {}, {}\n", "", text_field(row, "not_before"),
                                 text_field(row, "not_after"), text_field(row, "file"));
}

}  // namespace

int certs(const CertsOptions& options, const Environment& environment) {
  const auto address = find_admin(options.target);
  if (!address) {
    print_error(environment, address.error());
    return kRuntimeFailure;
  }
  const auto reply = ask_admin(*address, {.method = "GET", .path = "/status"});
  if (!reply || reply->status != 200) {
    print_error(environment, reply ? text_field(object_from(reply->body), "detail") : reply.error(),
                reply ? "" : "is it running? `hangu run` starts it");
    return kRuntimeFailure;
  }
  const json::object body = object_from(reply->body);
  const std::vector<json::object> rows = objects_field(body, "certificates");
  if (options.json) {
    environment.out << admin::pretty(json::object{{"certificates", body.at("certificates")}})
                    << '\n';
    return kOk;
  }
  const Palette palette(environment.color_out);
  environment.out << fmt::format("{}{:<16} {:<16} {:>9}  {}{}\n", palette.bold, "LISTENER", "KEY",
                                 "LEFT", "NAMES", palette.off);
  for (const json::object& row : rows) {
    print_row(row, palette, environment);
  }
  if (rows.empty()) {
    environment.out << "no listener has TLS\n";
  }
  return kOk;
}

}  // namespace hangu::cli
