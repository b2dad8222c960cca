// `hangu upstream`: takes an endpoint out of use and back.
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

std::string_view meaning_of(std::string_view order) {
  return order == "drain"   ? "drains: only clients that belong to it still go there"
         : order == "maint" ? "is in maintenance: no requests and no checks"
                            : "is ready again";
}

}  // namespace

int order_endpoint(const UpstreamOptions& options, const Environment& environment) {
  const std::string target = fmt::format("/endpoint?upstream={}&endpoint={}&order={}",
                                         admin::percent_encode(options.upstream),
                                         admin::percent_encode(options.endpoint), options.order);
  const auto reply = ask_running(options.target, {.method = "POST", .path = target}, environment);
  if (!reply) {
    return reply.error();
  }
  const boost::json::object body = object_from(reply->body);
  if (reply->status != 200) {
    print_error(environment, text_field(body, "detail"),
                reply->status == 404 ? "`hangu status` lists them" : "");
    return kRuntimeFailure;
  }
  if (options.json) {
    environment.out << admin::pretty(body) << '\n';
  } else {
    environment.out << fmt::format("{} of {} {}\n", options.endpoint, options.upstream,
                                   meaning_of(options.order));
  }
  return kOk;
}

}  // namespace hangu::cli
