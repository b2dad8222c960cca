// What `run` and `demo` share: a Daemon and its admin endpoint on one io_context, from the start to
// the exit code.
#pragma once

#include <functional>
#include <memory>

#include "hangu/cli/cli.h"
#include "hangu/config/load.h"
#include "hangu/control/config_source.h"

namespace hangu::cli {

struct GatewayProcess {
  std::function<config::LoadResult()> load_config;
  std::shared_ptr<control::ConfigSource> source;               // or else this
  std::function<void(const control::DaemonStatus&)> on_ready;  // may be empty
};

/// Serves until a signal ends it.
int run_process(const GatewayProcess& process, const Environment& environment);

}  // namespace hangu::cli
