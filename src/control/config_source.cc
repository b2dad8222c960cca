#include "hangu/control/config_source.h"

#include <filesystem>
#include <utility>

#include "hangu/base/log.h"
#include "hangu/fleet/cache.h"
#include "hangu/tls/digest.h"

#include "control/document_log.h"

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

ConfigSource::~ConfigSource() = default;

config::LoadResult ConfigSource::load() {
  config::LoadResult result = assembly_.load();
  if (result.digest.empty()) {
    result.digest = tls::sha256_of_file(path_);  // also of what is refused
  }
  const bool first = !has_loaded_;
  has_loaded_ = has_loaded_ || result.config.has_value();
  if (!result.config || !first) {
    return result;
  }
  if (!result.config->config_center.enabled) {
    return result.config->admin.writable ? add_local(std::move(result)) : std::move(result);
  }
  return open_center(result) && !cache_path_.empty() ? add_cached(std::move(result))
                                                     : std::move(result);
}

config::LoadResult ConfigSource::add_cached(config::LoadResult result) {
  auto cached = fleet::read_cache(cache_path_, cache_key_);
  if (!cached) {
    log::warning("config_cache_unusable error=\"{}\"", cached.error());
    return result;
  }
  for (const fleet::StoredDocument& each : *cached) {
    good_[each.key] = *each.text;
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

config::LoadResult ConfigSource::add_local(config::LoadResult result) {
  auto log = DocumentLog::open(result.config->state_dir + "/documents");
  if (!log) {
    // Some of its routes would be worse than none: nobody would know which.
    result.diagnostics.push_back(error_of(path_, "`admin.writable`: " + log.error()));
    result.config.reset();
    return result;
  }
  document_log_ = std::move(*log);
  std::vector<config::Document> documents;
  for (const auto& [key, text] : document_log_->documents()) {
    documents.push_back({key, text});
  }
  if (documents.empty()) {
    return result;
  }
  config::LoadResult with = assembly_.change(std::move(documents));
  for (const config::Refusal& each : assembly_.refused()) {
    log::error("config_document_refused key={} error=\"{}\"", each.key, each.reason);
  }
  log::info("documents_read generation={} documents={} refused={}", document_log_->generation(),
            assembly_.size(), assembly_.refused().size());
  return with.config ? std::move(with) : std::move(result);
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
  candidate_ = std::make_unique<fleet::Candidate>(result.config->node);
  cache_path_ = center.cache ? result.config->state_dir + "/config-cache" : "";
  cache_key_ = center.cache_key.text;
  return true;
}

std::vector<config::Document> ConfigSource::take(std::vector<fleet::StoredDocument> documents,
                                                 bool whole) {
  cache_is_stale_ = cache_is_stale_ || whole || !documents.empty();
  take_rollout(documents, whole);
  if (whole) {
    note_good();
  }
  for (const fleet::StoredDocument& each : documents) {  // the last moment to know their versions
    const auto believed = intake_->believed(each.key);
    if (!whole && believed && fleet::body_of(believed) == assembly_.document(each.key)) {
      good_[each.key] = *believed;
    }
  }
  std::vector<config::Document> changes =
      whole ? intake_->replace(std::move(documents)) : intake_->change(std::move(documents));
  candidate_->notice(assembly_.refused());
  return candidate_->apply(std::move(changes), *intake_);
}

void ConfigSource::take_rollout(std::vector<fleet::StoredDocument>& documents, bool whole) {
  std::optional<std::string> text;
  bool told = whole;
  for (fleet::StoredDocument& each : documents) {
    if (each.key == fleet::kRolloutKey) {
      text = std::move(each.text);
      told = true;
    }
  }
  std::erase_if(documents, [](const auto& each) { return each.key.starts_with('@'); });
  if (told) {
    candidate_->set(fleet::read_rollout(text.value_or("")));
  }
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
    report.rollout.rollout = candidate_->rollout();
    report.rollout.refusal = candidate_->refusal(assembly_.refused());
    report.rollout.in_force = candidate_->is_on_top();
  }
  return report;
}

void ConfigSource::save_cache() {
  if (!cache_is_stale_ || cache_path_.empty()) {
    return;
  }
  cache_is_stale_ = false;
  note_good();
  std::vector<fleet::StoredDocument> documents;
  for (const auto& [key, text] : good_) {
    documents.push_back({key, text});
  }
  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::path(cache_path_).parent_path(), ignored);
  if (auto written = fleet::write_cache(cache_path_, documents, cache_key_); !written) {
    log::warning("config_cache_not_written error=\"{}\"", written.error());
  }
}

void ConfigSource::note_good() {
  std::map<std::string, std::string> believed;
  for (fleet::StoredDocument& each : intake_->believed()) {
    believed[each.key] = std::move(*each.text);
  }
  std::map<std::string, std::string> next;
  for (const config::Document& each : assembly_.documents()) {
    const auto found = believed.find(each.key);
    if (found != believed.end() && fleet::body_of(found->second) == each.text) {
      next[each.key] = found->second;
    } else if (const auto before = good_.find(each.key); before != good_.end()) {
      next[each.key] = before->second;  // its new version is refused
    }
  }
  for (auto& [key, text] : believed) {  // signed removals, so that no old version comes back
    if (!fleet::body_of(text)) {
      next.try_emplace(key, std::move(text));
    }
  }
  good_ = std::move(next);
}

std::string documents_prefix(const config::ConfigCenter& center) {
  return center.prefix + "config/";
}

}  // namespace hangu::control
