// Finding and loading the config file as all verbs do.
#pragma once

#include <string>

#include "hangu/base/result.h"
#include "hangu/config/load.h"

namespace hangu::cli {

/// `given`, or the first of ./hangu.yaml and /etc/hangu/hangu.yaml that exists. The error names
/// what was looked for.
Result<std::string, std::string> find_config(const std::string& given);

/// Applies `--event-loop` and `--workers`; empty texts change nothing. The error says what is
/// wrong.
Result<void, std::string> apply_overrides(config::Config& config, const std::string& event_loop,
                                          const std::string& workers);

}  // namespace hangu::cli
