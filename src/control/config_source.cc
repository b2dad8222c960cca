#include "hangu/control/config_source.h"

#include <filesystem>
#include <utility>

#include "hangu/base/log.h"
#include "hangu/fleet/cache.h"
#include "hangu/tls/digest.h"

namespace hangu::control {
namespace {

config::AssemblyOptions assembly_options(std::function<void(config::Config&)> complete) {
  config::AssemblyOptions options;
  options.complete = std::move(complete);
  options.digest = [](std::string_view text) { return tls::sha256_hex(text); };
  return options;
}

config::Diagnostic error_of(const std::string& path, std::string message) {
  config::Diagnostic diagnostic;
  diagnostic.code = "E0135";
  diagnostic.file = path;
  diagnostic.message = std::move(message);
  return diagnostic;
}

}  // namespace

ConfigSource::ConfigSource(std::string path, std::function<void(config::Config&)> complete)
    : path_(path),
      assembly_(std::move(path), assembly_options(std::move(complete))) {}

config::LoadResult ConfigSource::load() {
  config::LoadResult result = assembly_.load();
  const bool first = intake_ == nullptr;
  if (!result.config || !result.config->config_center.enabled || !first || !open_center(result) ||
      cache_path_.empty()) {
    return result;
  }
  auto cached = fleet::read_cache(cache_path_, cache_key_);
  if (!cached) {
    log::warning("config_cache_unusable error=\"{}\"", cached.error());
    return result;
  }
  std::vector<config::Document> documents = intake_->replace(std::move(*cached));
  if (documents.empty()) {
    return result;
  }
  config::LoadResult with = assembly_.change(std::move(documents));
  if (!with.config) {
    return result;
  }
  started_from_cache_ = true;
  log::info("config_cache_read documents={} refused={}", assembly_.size(),
            assembly_.refused().size() + intake_->refused().size());
  return with;
}

bool ConfigSource::open_center(config::LoadResult& result) {
  const config::ConfigCenter& center = result.config->config_center;
  auto trust = fleet::Trust::load(center.trusted_keys, center.approvals);
  if (!trust) {
    result.diagnostics.push_back(error_of(path_, "`config_center`: " + trust.error()));
    result.config.reset();
    return false;
  }
  intake_ = std::make_unique<fleet::Intake>(
      std::move(*trust), fleet::Intake::Options{.prefix = documents_prefix(center),
                                                .confirm_empty = center.confirm_empty});
  cache_path_ = center.cache ? result.config->state_dir + "/config-cache" : "";
  cache_key_ = center.cache_key.text;
  return true;
}

std::vector<config::Document> ConfigSource::take(std::vector<fleet::StoredDocument> documents,
                                                 bool whole) {
  cache_is_stale_ = true;
  return whole ? intake_->replace(std::move(documents)) : intake_->change(std::move(documents));
}

config::LoadResult ConfigSource::change(std::vector<config::Document> documents) {
  return assembly_.change(std::move(documents));
}

ConfigSource::Report ConfigSource::report() const {
  Report report;
  report.documents = assembly_.size();
  report.refused = assembly_.refused();
  if (intake_ != nullptr) {
    std::vector<config::Refusal> unbelieved = intake_->refused();
    std::move(unbelieved.begin(), unbelieved.end(), std::back_inserter(report.refused));
    report.lost_store = intake_->holds_lost_store();
  }
  return report;
}

void ConfigSource::save_cache() {
  if (!cache_is_stale_ || cache_path_.empty()) {
    return;
  }
  cache_is_stale_ = false;
  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::path(cache_path_).parent_path(), ignored);
  if (auto written = fleet::write_cache(cache_path_, intake_->believed(), cache_key_); !written) {
    log::warning("config_cache_not_written error=\"{}\"", written.error());
  }
}

std::string documents_prefix(const config::ConfigCenter& center) {
  return center.prefix + "config/";
}

}  // namespace hangu::control
