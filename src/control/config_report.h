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

log::Level level_from(std::string_view name);

void log_diagnostics(const std::vector<config::Diagnostic>& diagnostics);

/// The first error, and how many more there are.
std::string summary_of(const config::LoadResult& loaded);

/// Completes the gateway's list by the keys that the config's table says so of.
void add_restart_keys(ReloadOutcome& outcome);

}  // namespace hangu::control
