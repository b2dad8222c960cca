// `hangu release`: what becomes of new versions, and an operator's word on it.
#include <string>
#include <vector>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "hangu/admin/json.h"
#include "hangu/admin/query.h"

#include "cli/admin_client.h"
#include "cli/json_fields.h"
#include "cli/release_text.h"
#include "cli/terminal.h"
#include "cli/verbs.h"

namespace hangu::cli {
namespace {

namespace json = boost::json;

constexpr std::string_view kHint = "`hangu release list` shows them";

/// Only that of one route.
json::object only(const json::object& body, const std::string& route) {
  json::array kept;
  for (json::object& each : objects_field(body, "releases")) {
    if (text_field(each, "route") == route) {
      kept.push_back(std::move(each));
    }
  }
  return {{"releases", std::move(kept)}};
}

int show(const ReleaseOptions& options, const json::object& body, const Environment& environment) {
  if (options.json) {
    environment.out << admin::pretty(body) << '\n';
  } else if (objects_field(body, "releases").empty()) {
    environment.out << "no route has a release: see `split.ramp` in docs/traffic.md\n";
  } else {
    print_releases(body, Palette(environment.color_out), environment);
  }
  return kOk;
}

}  // namespace

int release_list(const ReleaseOptions& options, const Environment& environment) {
  const auto body =
      answer_of_running(options.target, {.method = "GET", .path = "/releases"}, kHint, environment);
  return body ? show(options, *body, environment) : body.error();
}

int release_status(const ReleaseOptions& options, const Environment& environment) {
  const auto body =
      answer_of_running(options.target, {.method = "GET", .path = "/releases"}, kHint, environment);
  if (!body) {
    return body.error();
  }
  const json::object found = only(*body, options.route);
  if (objects_field(found, "releases").empty()) {
    print_error(environment, fmt::format("route \"{}\" has no release", options.route),
                "`hangu release list` shows them");
    return kRuntimeFailure;
  }
  return show(options, found, environment);
}

int release_order(const ReleaseOptions& options, const Environment& environment) {
  const std::string path = fmt::format("/release?route={}&order={}",
                                       admin::percent_encode(options.route), options.order);
  const auto body =
      answer_of_running(options.target, {.method = "POST", .path = path}, kHint, environment);
  return body ? show(options, only(*body, options.route), environment) : body.error();
}

}  // namespace hangu::cli
