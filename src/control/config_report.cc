#include "control/config_report.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "hangu/config/print.h"
#include "hangu/tls/digest.h"

namespace hangu::control {
namespace {

/// Completes the gateway's list by the keys that the config's table says so of.
void add_restart_keys(ReloadOutcome& outcome) {
  std::vector<std::string>& keys = outcome.report.restart_required;
  for (const config::KeyChange& change : outcome.changes) {
    if (change.reload == config::ReloadClass::kRestart &&
        std::find(keys.begin(), keys.end(), change.path) == keys.end()) {
      keys.push_back(change.path);
    }
  }
}

}  // namespace

ResolverFactory resolver_factory(boost::asio::io_context& context, const DaemonOptions& options) {
  if (options.make_resolver) {
    return options.make_resolver;
  }
  return [&context](const std::string& servers) {
    return make_resolver(context, {.servers = servers});
  };
}

Readiness readiness_of(DrainState state, bool ready, bool lacks_documents) {
  switch (state) {
    case DrainState::kServing: break;
    case DrainState::kLbDelay:
    case DrainState::kDraining: return {false, "draining"};
    case DrainState::kStopped: return {false, "stopped"};
  }
  if (!ready && lacks_documents) {
    return {false, "waiting for the config center"};
  }
  return ready ? Readiness{true, "ready"} : Readiness{false, "starting"};
}

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

void log_outcome(const ReloadOutcome& outcome, uint64_t generation) {
  log_diagnostics(outcome.diagnostics);
  if (outcome.kind != ReloadOutcome::Kind::kApplied) {
    log::error("reload_refused kept_generation={} error=\"{}\"", generation, outcome.error);
    return;
  }
  log::info(
      "config_reloaded generation={} changed_keys={} compile_us={} connections_closed={} "
      "streams_on_old_generation={}",
      generation, outcome.changes.size(),
      std::chrono::duration_cast<std::chrono::microseconds>(outcome.report.compile_time).count(),
      outcome.report.connections_closed, outcome.report.streams_on_old_generation);
  for (const std::string& key : outcome.report.restart_required) {
    log::warning("restart_required key={}", key);
  }
}

std::string digest_of(const config::LoadResult& loaded) {
  return !loaded.digest.empty() || !loaded.config ? loaded.digest
                                                  : tls::sha256_of_file(loaded.config->source_path);
}

ReloadOutcome refused(std::string error) {
  ReloadOutcome outcome;
  outcome.kind = ReloadOutcome::Kind::kRefused;
  outcome.error = std::move(error);
  return outcome;
}

ReloadOutcome invalid_config(config::LoadResult loaded) {
  ReloadOutcome outcome;
  outcome.kind = ReloadOutcome::Kind::kInvalidConfig;
  outcome.error = summary_of(loaded);
  outcome.diagnostics = std::move(loaded.diagnostics);
  return outcome;
}

ReloadOutcome applied_outcome(const config::Config& before, const config::Config& after,
                              server::ReloadReport report) {
  ReloadOutcome outcome;
  outcome.kind = ReloadOutcome::Kind::kApplied;
  outcome.changes = config::changed_keys(before, after);
  outcome.report = std::move(report);
  add_restart_keys(outcome);
  return outcome;
}

ConfigCenter::Applied seen_by_center(const ReloadOutcome& outcome) {
  const bool refused = outcome.kind == ReloadOutcome::Kind::kRefused;
  return {.tried = !refused || outcome.tried, .refused = refused ? outcome.error : ""};
}

}  // namespace hangu::control
