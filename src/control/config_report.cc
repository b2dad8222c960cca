#include "control/config_report.h"

#include <algorithm>

#include <fmt/format.h>

#include "hangu/config/generations.h"

namespace hangu::control {

log::Level level_from(std::string_view name) {
  if (name == "debug") {
    return log::Level::kDebug;
  }
  if (name == "warning" || name == "warn") {
    return log::Level::kWarning;
  }
  if (name == "error") {
    return log::Level::kError;
  }
  return name == "off" ? log::Level::kOff : log::Level::kInfo;
}

void log_diagnostics(const std::vector<config::Diagnostic>& diagnostics) {
  for (const config::Diagnostic& each : diagnostics) {
    const bool error = each.severity == config::Severity::kError;
    log::write(error ? log::Level::kError : log::Level::kWarning,
               fmt::format("config {}:{}:{} {} {}", each.file, each.line, each.column, each.code,
                           each.message));
  }
}

std::string summary_of(const config::LoadResult& loaded) {
  for (const config::Diagnostic& each : loaded.diagnostics) {
    if (each.severity == config::Severity::kError) {
      const size_t more = loaded.error_count() - 1;
      const std::string rest = more == 0 ? "" : fmt::format(" (and {} more)", more);
      return fmt::format("{}:{}:{}: {}: {}{}", each.file, each.line, each.column, each.code,
                         each.message, rest);
    }
  }
  return "the config is not valid";
}

void add_restart_keys(ReloadOutcome& outcome) {
  std::vector<std::string>& keys = outcome.report.restart_required;
  for (const config::KeyChange& change : outcome.changes) {
    if (change.reload == config::ReloadClass::kRestart &&
        std::find(keys.begin(), keys.end(), change.path) == keys.end()) {
      keys.push_back(change.path);
    }
  }
}

}  // namespace hangu::control
