// `hangu check`: validates a config file by the code that `run` and `reload` use.
#include <ctime>
#include <initializer_list>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "hangu/admin/json.h"
#include "hangu/config/endpoint_file.h"
#include "hangu/config/print.h"
#include "hangu/server/plugin_check.h"
#include "hangu/server/tls_contexts.h"

#include "cli/config_file.h"
#include "cli/terminal.h"
#include "cli/verbs.h"

namespace hangu::cli {
namespace {

std::string count_of(size_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

/// What is wrong with the files that a config names.
struct FileFindings {
  std::vector<std::string> errors;
  std::vector<std::string> warnings;
};

/// Certificates and keys, by the code that `run` uses.
FileFindings check_files(const config::Config& config) {
  FileFindings findings;
  const std::time_t now = std::time(nullptr);
  server::TicketSecrets tickets;
  const auto contexts = server::load_tls(config, tickets, now);
  if (!contexts) {
    for (const server::TlsProblem& problem : contexts.error()) {
      findings.errors.push_back(server::to_string(problem));
    }
    return findings;
  }
  findings.errors = server::expiry_warnings(*contexts, 0, now);
  if (findings.errors.empty()) {
    findings.warnings = server::expiry_warnings(*contexts, server::kExpiryWarningDays, now);
  }
  return findings;
}

/// Lists of endpoints. One that is not there is made by somebody, perhaps later.
std::vector<config::Diagnostic> check_endpoint_files(const config::Config& config) {
  std::vector<config::Diagnostic> all;
  for (const config::Upstream& upstream : config.upstreams) {
    if (upstream.discovery.file.empty()) {
      continue;
    }
    for (config::Diagnostic& each : config::load_endpoint_file(upstream.discovery.file).problems) {
      each.severity = each.line == 0 ? config::Severity::kWarning : each.severity;
      all.push_back(std::move(each));
    }
  }
  return all;
}

boost::json::array to_json(const std::vector<std::string>& texts) {
  boost::json::array array;
  for (const std::string& text : texts) {
    array.emplace_back(text);
  }
  return array;
}

void print_json(const config::LoadResult& loaded, const FileFindings& files, bool ok,
                const Environment& environment) {
  const boost::json::object result = {
      {"ok", ok},
      {"errors", loaded.error_count() + files.errors.size()},
      {"warnings", loaded.warning_count() + files.warnings.size()},
      {"diagnostics", boost::json::parse(config::diagnostics_to_json(loaded.diagnostics))},
      {"files", {{"errors", to_json(files.errors)}, {"warnings", to_json(files.warnings)}}}};
  environment.out << admin::pretty(result) << '\n';
}

void print_findings(const FileFindings& files, const Environment& environment) {
  for (const std::string& error : files.errors) {
    print_error(environment, error);
  }
  for (const std::string& warning : files.warnings) {
    environment.err << "hangu: warning: " << warning << '\n';
  }
}

}  // namespace

int check(const CheckOptions& options, const Environment& environment) {
  const auto path = find_config(options.config);
  if (!path) {
    print_error(environment, path.error(), "say which: hangu check FILE");
    return kInvalidConfig;
  }
  config::LoadOptions how;
  how.without_files = options.no_files;
  config::LoadResult loaded = config::load_file(*path, how);
  FileFindings files;
  if (loaded.config && !options.no_files) {
    files = check_files(*loaded.config);
    for (const auto& problems :
         {server::check_plugins(*loaded.config), check_endpoint_files(*loaded.config)}) {
      loaded.diagnostics.insert(loaded.diagnostics.end(), problems.begin(), problems.end());
    }
  }
  const bool ok = loaded.ok(options.strict) && loaded.error_count() == 0 && files.errors.empty() &&
                  (files.warnings.empty() || !options.strict);
  if (options.json) {
    print_json(loaded, files, ok, environment);
    return ok ? kOk : kInvalidConfig;
  }
  environment.err << config::format_diagnostics(loaded.diagnostics, environment.color_err);
  print_findings(files, environment);
  if (!ok) {
    if (loaded.config && loaded.error_count() == 0 && files.errors.empty()) {
      print_error(environment, "--strict takes a warning for an error");
    }
    return kInvalidConfig;
  }
  if (options.print) {
    environment.out << config::print_effective(*loaded.config);
    return kOk;
  }
  const Palette palette(environment.color_out);
  environment.out << fmt::format("{}{}{}: ok: {}, {}, {}\n", palette.green, *path, palette.off,
                                 count_of(loaded.config->listeners.size(), "listener"),
                                 count_of(loaded.config->routes.size(), "route"),
                                 count_of(loaded.config->upstreams.size(), "upstream"));
  return kOk;
}

}  // namespace hangu::cli
