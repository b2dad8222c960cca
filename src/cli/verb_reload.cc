// `hangu reload`: asks the running process to read its config again, and waits for what came of it.
#include <boost/json.hpp>
#include <fmt/format.h>

#include "hangu/admin/json.h"

#include "cli/admin_client.h"
#include "cli/config_file.h"
#include "cli/json_fields.h"
#include "cli/terminal.h"
#include "cli/verbs.h"

namespace hangu::cli {
namespace {

namespace json = boost::json;

// A reload of 100,000 routes takes as long as it takes.
constexpr Duration kPatience = std::chrono::minutes(5);

void print_list(const json::object& report, const char* key, std::string_view text,
                const Environment& environment) {
  for (const json::value& each : array_field(report, key)) {
    environment.out << fmt::format("{} {}\n", text, text_of(each));
  }
}

void print_applied(const json::object& report, const Environment& environment) {
  environment.out << fmt::format(
      "generation {} live: {} connections closed, {} streams on the old generation\n",
      number_field(report, "generation"), number_field(report, "connections_closed"),
      number_field(report, "streams_on_old_generation"));
  print_list(report, "listeners_added", "listener added:", environment);
  print_list(report, "listeners_removed", "listener removed:", environment);
  for (const json::value& each : array_field(report, "restart_required")) {
    print_warning(environment, fmt::format("{} changes only with a restart", text_of(each)));
  }
}

void print_refused(const json::object& problem, const Environment& environment) {
  const std::vector<config::Diagnostic> diagnostics =
      diagnostics_from(array_field(problem, "diagnostics"));
  environment.err << config::format_diagnostics(diagnostics, environment.color_err);
  print_error(environment,
              diagnostics.empty() ? "reload refused: " + text_field(problem, "detail")
                                  : std::string("reload refused: the config is not valid"),
              "the running config stays");
}

/// The file that should say where the process is does not even parse: nothing can be reloaded.
int refuse_invalid_file(const ReloadOptions& options, const Environment& environment) {
  const auto path = find_config(options.target.config);
  const config::LoadResult loaded = config::load_file(*path);
  const auto diagnostics = json::parse(config::diagnostics_to_json(loaded.diagnostics));
  if (options.json) {
    environment.out << admin::pretty(json::object{{"applied", false}, {"diagnostics", diagnostics}})
                    << '\n';
  } else {
    print_refused(json::object{{"diagnostics", diagnostics}}, environment);
  }
  return kReloadRefused;
}

bool names_an_invalid_file(const AdminTarget& target) {
  const auto path = find_config(target.config);
  return target.socket.empty() && path && !config::load_file(*path).config;
}

}  // namespace

int reload(const ReloadOptions& options, const Environment& environment) {
  const auto address = find_admin(options.target);
  if (!address) {
    if (names_an_invalid_file(options.target)) {
      return refuse_invalid_file(options, environment);
    }
    print_error(environment, address.error());
    return kRuntimeFailure;
  }
  const auto reply =
      ask_admin(*address, {.method = "POST", .path = "/reload", .patience = kPatience});
  if (!reply) {
    print_error(environment, reply.error(), "is it running? `hangu run` starts it");
    return kRuntimeFailure;
  }
  const json::object body = object_from(reply->body);
  if (options.json) {
    environment.out << admin::pretty(body) << '\n';
  } else if (reply->status == 200) {
    print_applied(body, environment);
  } else {
    print_refused(body, environment);
  }
  return reply->status == 200 ? kOk : kReloadRefused;
}

}  // namespace hangu::cli
