// `hangu run`: the daemon in the foreground.
#include <memory>

#include <fmt/format.h>

#include "cli/config_file.h"
#include "cli/gateway_process.h"
#include "cli/terminal.h"
#include "cli/verbs.h"

namespace hangu::cli {

int run_gateway(const RunOptions& options, const Environment& environment) {
  const auto path = find_config(options.config);
  if (!path) {
    print_error(environment, path.error(), "say --config FILE, or try `hangu demo`");
    return kInvalidConfig;
  }
  config::Config probe;
  if (auto valid = apply_overrides(probe, options.event_loop, options.workers); !valid) {
    print_error(environment, valid.error());
    return kUsage;
  }
  GatewayProcess process;
  process.source = std::make_shared<control::ConfigSource>(*path, [&](config::Config& config) {
    // Checked above; the file alone can be wrong now.
    static_cast<void>(apply_overrides(config, options.event_loop, options.workers).has_value());
  });
  return run_process(process, environment);
}

}  // namespace hangu::cli
