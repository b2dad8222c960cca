// What the Daemon says about a config that was loaded: to the log, in one line, as a report. Pure
// but for the log.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hangu/base/log.h"
#include "hangu/config/diagnostic.h"
#include "hangu/config/load.h"
#include "hangu/control/daemon.h"

namespace hangu::control {

/// What the options say, or else c-ares.
ResolverFactory resolver_factory(boost::asio::io_context& context, const DaemonOptions& options);

inline int64_t milliseconds_of(Duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

Readiness readiness_of(DrainState state, bool ready, bool lacks_documents);

log::Level level_from(std::string_view name);

void log_diagnostics(const std::vector<config::Diagnostic>& diagnostics);

/// The first error, and how many more there are.
std::string summary_of(const config::LoadResult& loaded);

/// Of what was read, for the audit log.
std::string digest_of(const config::LoadResult& loaded);

ReloadOutcome refused(std::string error);
ReloadOutcome invalid_config(config::LoadResult loaded);
ReloadOutcome applied_outcome(const config::Config& before, const config::Config& after,
                              server::ReloadReport report);

/// What a config centre makes of it.
ConfigCenter::Applied seen_by_center(const ReloadOutcome& outcome);

/// What has come of a reload, with its diagnostics.
void log_outcome(const ReloadOutcome& outcome, uint64_t generation);

}  // namespace hangu::control
