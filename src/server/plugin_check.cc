#include "hangu/server/plugin_check.h"

#include "hangu/config/load.h"
#include "hangu/filter/plugin_filter.h"
#include "hangu/plugin/store.h"
#include "hangu/stats/registry.h"

namespace hangu::server {

std::vector<config::Diagnostic> check_plugins(const config::Config& config) {
  std::vector<config::Diagnostic> found;
  if (config.plugins.empty()) {
    return found;
  }
  stats::Registry registry(1);
  plugin::Store store({.folder = {}, .functions = &filter::plugin_functions()}, registry);
  const auto plan = store.plan(config);
  if (plan) {
    return found;
  }
  for (const plugin::Problem& problem : plan.error()) {
    config::Diagnostic& diagnostic = found.emplace_back();
    diagnostic.code = problem.in_config ? "E0175" : "E0176";
    diagnostic.file = config.source_path;
    diagnostic.line = problem.place.line;
    diagnostic.column = problem.place.column;
    diagnostic.message = problem.message;
  }
  config::add_snippets(found);
  return found;
}

}  // namespace hangu::server
