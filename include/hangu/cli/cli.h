// The command line: `hangu VERB ...`, one file a verb in src/cli. main() hands the arguments and
// what the outside provides to run(). Main thread. Data goes to `out`, everything else to `err`.
#pragma once

#include <iosfwd>

#include "hangu/control/daemon.h"

namespace hangu::cli {

/// Exit codes, as `hangu --help` lists them.
enum ExitCode : int {
  kOk = 0,
  kRuntimeFailure = 1,
  kUsage = 2,
  kInvalidConfig = 3,
  kReloadRefused = 4,
  kCannotBind = 5,
};

struct Environment {
  control::GatewayFactory start_gateway;
  std::ostream& out;
  std::ostream& err;
  bool color_out = false;
  bool color_err = false;
  bool err_is_terminal = false;
};

/// Parses the arguments and runs the verb; the answer is the process's exit code.
int run(int argc, const char* const* argv, const Environment& environment);

}  // namespace hangu::cli
