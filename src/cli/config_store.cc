#include "cli/config_store.h"

#include <algorithm>
#include <set>
#include <utility>

#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>

#include "hangu/config/assembly.h"
#include "hangu/config/load.h"
#include "hangu/control/config_center.h"

#include "cli/config_file.h"

namespace hangu::cli {

Result<std::unique_ptr<ConfigStore>, std::string> ConfigStore::open(
    const std::string& config_path) {
  const auto path = find_config(config_path);
  if (!path) {
    return Failure<std::string>{path.error() + "; say --config FILE"};
  }
  config::LoadResult loaded = config::load_file(*path);
  if (!loaded.config) {
    return Failure<std::string>{
        fmt::format("{} is not valid, so it does not say where the config center is; "
                    "`hangu check` tells more",
                    *path)};
  }
  const config::ConfigCenter& center = loaded.config->config_center;
  if (!center.enabled) {
    return Failure<std::string>{fmt::format("{} names no `config_center`", *path)};
  }
  auto trust = fleet::Trust::load(center.trusted_keys, center.approvals);
  if (!trust) {
    return Failure<std::string>{trust.error()};
  }
  return std::unique_ptr<ConfigStore>(
      new ConfigStore(std::move(*loaded.config), std::move(*trust)));
}

ConfigStore::ConfigStore(config::Config config, fleet::Trust trust)
    : config_(std::move(config)),
      trust_(std::move(trust)),
      client_(control::client_options(config_.config_center)),
      publisher_(client_, config_.config_center.prefix),
      rollouts_(client_, config_.config_center.prefix) {}

void ConfigStore::wait(Duration duration) {
  boost::asio::steady_timer timer(context_, duration);
  timer.wait();
}

std::vector<config::Diagnostic> ConfigStore::check(
    const fleet::StoreState& state, const std::vector<config::Document>& changes) const {
  config::Assembly assembly(config_.source_path);
  config::LoadResult result = assembly.load();
  if (!result.config) {
    return result.diagnostics;
  }
  std::vector<config::Document> documents;
  for (const auto& [key, entry] : state.documents) {
    documents.push_back({key, fleet::body_of(entry.text)});
  }
  std::erase_if(documents, [](const config::Document& each) { return !each.text; });
  if (!documents.empty()) {
    static_cast<void>(assembly.change(std::move(documents)));
  }
  result = assembly.change(changes);
  std::set<std::string> keys;
  for (const config::Document& each : changes) {
    keys.insert(each.key);
  }
  std::vector<config::Diagnostic> out;
  std::copy_if(result.diagnostics.begin(), result.diagnostics.end(), std::back_inserter(out),
               [&keys](const config::Diagnostic& each) { return keys.contains(each.file); });
  const bool said = std::any_of(out.begin(), out.end(), [](const config::Diagnostic& each) {
    return each.severity == config::Severity::kError;
  });
  for (const config::Refusal& each : assembly.refused()) {
    if (!said && keys.contains(each.key)) {  // such as a removal of what others need
      config::Diagnostic diagnostic;
      diagnostic.code = "E0178";
      diagnostic.file = each.key;
      diagnostic.message = each.reason;
      out.push_back(std::move(diagnostic));
    }
  }
  return out;
}

template <>
Result<void, std::string> ConfigStore::ask(
    boost::asio::awaitable<Result<void, std::string>> question) {
  return run_to_end(std::move(question));
}

}  // namespace hangu::cli
