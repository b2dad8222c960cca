// `hangu check`: validates a config file by the code that `run` and `reload` use.
#include <ctime>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "hangu/admin/json.h"
#include "hangu/config/print.h"
#include "hangu/server/tls_contexts.h"

#include "cli/config_file.h"
#include "cli/terminal.h"
#include "cli/verbs.h"

namespace hangu::cli {
namespace {

std::string count_of(size_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

void print_json(const config::LoadResult& loaded, bool ok, const Environment& environment) {
  const boost::json::object result = {
      {"ok", ok},
      {"errors", loaded.error_count()},
      {"warnings", loaded.warning_count()},
      {"diagnostics", boost::json::parse(config::diagnostics_to_json(loaded.diagnostics))}};
  environment.out << admin::pretty(result) << '\n';
}

/// What the files of certificates and keys hold, by the code that `run` uses.
bool check_tls(const config::Config& config, bool strict, const Environment& environment) {
  const std::time_t now = std::time(nullptr);
  server::TicketKeyMap ticket_keys;
  const auto contexts = server::load_tls(config, ticket_keys, now);
  if (!contexts) {
    for (const server::TlsProblem& problem : contexts.error()) {
      print_error(environment, server::to_string(problem));
    }
    return false;
  }
  bool good = true;
  for (const std::string& expired : server::expiry_warnings(*contexts, 0, now)) {
    print_error(environment, expired);
    good = false;
  }
  if (good) {
    for (const std::string& soon :
         server::expiry_warnings(*contexts, server::kExpiryWarningDays, now)) {
      environment.err << "warning: " << soon << '\n';
      good = good && !strict;
    }
  }
  return good;
}

}  // namespace

int check(const CheckOptions& options, const Environment& environment) {
  const auto path = find_config(options.config);
  if (!path) {
    print_error(environment, path.error(), "say which: hangu check FILE");
    return kInvalidConfig;
  }
  const config::LoadResult loaded = config::load_file(*path);
  const bool ok = loaded.ok(options.strict);
  if (options.json) {
    print_json(loaded, ok, environment);
    return ok ? kOk : kInvalidConfig;
  }
  environment.err << config::format_diagnostics(loaded.diagnostics, environment.color_err);
  if (!ok) {
    if (loaded.config) {
      print_error(environment, "--strict takes a warning for an error");
    }
    return kInvalidConfig;
  }
  if (options.print) {
    environment.out << config::print_effective(*loaded.config);
    return kOk;
  }
  if (!check_tls(*loaded.config, options.strict, environment)) {
    return kInvalidConfig;
  }
  const Palette palette(environment.color_out);
  environment.out << fmt::format("{}{}{}: ok: {}, {}, {}\n", palette.green, *path, palette.off,
                                 count_of(loaded.config->listeners.size(), "listener"),
                                 count_of(loaded.config->routes.size(), "route"),
                                 count_of(loaded.config->upstreams.size(), "upstream"));
  return kOk;
}

}  // namespace hangu::cli
