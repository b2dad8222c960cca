// Fuzz target: any bytes as a config file. Nothing may crash or grow without bound; a config that
// loads must print back to an equal one; diagnostics must render. The unit test of config replays
// the corpus.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "hangu/base/assert.h"
#include "hangu/config/load.h"
#include "hangu/config/print.h"

namespace hangu::config {

namespace {

LoadOptions fuzz_options() {
  LoadOptions options;
  options.host_name = "fuzz";
  options.environment = [](std::string_view name) -> std::optional<std::string> {
    return name == "UNSET" ? std::nullopt : std::optional<std::string>(name);
  };
  options.read_file = [](const std::string& path) -> Result<std::string, std::string> {
    return path + '\n';
  };
  return options;
}

bool has_secret(const HeaderEdit& edit) {
  for (const auto* fields : {&edit.set, &edit.add}) {
    for (const HeaderEdit::Field& field : *fields) {
      if (field.secret) {
        return true;
      }
    }
  }
  return false;
}

bool has_secret(const Config& config) {
  for (const Route& route : config.routes) {
    if (has_secret(route.request_headers) || has_secret(route.response_headers)) {
      return true;
    }
  }
  return false;
}

void check_one(std::string_view text) {
  const LoadResult result = load_text(text, "fuzz.yaml", fuzz_options());
  HANGU_ASSERT(result.config.has_value() == (result.error_count() == 0));
  HANGU_ASSERT(result.diagnostics.size() <= kDiagnosticsMax + 1);
  for (const Diagnostic& diagnostic : result.diagnostics) {
    HANGU_ASSERT(!explain_error_code(diagnostic.code).empty());
  }
  HANGU_ASSERT(format_diagnostics(result.diagnostics, true).empty() == result.diagnostics.empty());
  HANGU_ASSERT(!diagnostics_to_json(result.diagnostics).empty());
  if (!result.config) {
    return;
  }
  const std::string printed = print_effective(*result.config);
  if (!has_secret(*result.config)) {
    const LoadResult again = load_text(printed, "fuzz.yaml", fuzz_options());
    HANGU_ASSERT(again.config.has_value());
    HANGU_ASSERT(*again.config == *result.config);
    HANGU_ASSERT(changed_keys(*result.config, *again.config).empty());
  }
}

}  // namespace

}  // namespace hangu::config

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  hangu::config::check_one(std::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
