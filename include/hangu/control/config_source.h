// ConfigSource: where a process has its config from: its file, and the documents of a config centre
// when the file names one, or those that its admin API was given. It holds what was read and checks
// it; what goes through the network is ConfigCenter's. Used by one thread at a time, the loader's:
// it reads files and takes its time.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "hangu/config/assembly.h"
#include "hangu/config/load.h"
#include "hangu/fleet/candidate.h"
#include "hangu/fleet/intake.h"

namespace hangu::control {

class DocumentLog;

class ConfigSource {
 public:
  /// `complete` has the last word on each config; may be empty.
  explicit ConfigSource(std::string path, std::function<void(config::Config&)> complete = {});
  ~ConfigSource();

  /// Reads the file. The first time, and when it names a config centre, the cache as well.
  config::LoadResult load();

  /// Takes what has become of documents, all that there are (`whole`) or some, and of the rollout;
  /// what is worth a new config. Only after a load() whose config names a config centre.
  std::vector<config::Document> take(std::vector<fleet::StoredDocument> documents, bool whole);

  /// The config with these.
  config::LoadResult change(std::vector<config::Document> documents);

  /// The config that came of the last change() was not taken.
  void revert(const std::string& reason) { assembly_.revert(reason); }

  /// The same of the last load().
  void revert_load() { assembly_.revert_load(); }

  /// What this node knows of a rollout.
  struct RolloutReport {
    std::optional<fleet::Rollout> rollout;  // without documents; none: there has not been any
    bool in_force = false;                  // its documents are, before they are everybody's
    std::string refusal;                    // why they cannot be; empty: they can, or need not
  };

  /// All of these or none; see Assembly.
  config::LoadResult change_all(std::vector<config::Document> documents) {
    return assembly_.change_all(std::move(documents));
  }

  config::LoadResult check_all(std::vector<config::Document> documents) {
    return assembly_.check_all(std::move(documents));
  }

  config::LoadResult revert_all() { return assembly_.revert_all(); }

  const config::Assembly& assembly() const { return assembly_; }

  /// The documents that are kept on this machine; nullptr: the config does not say so.
  DocumentLog* document_log() { return document_log_.get(); }

  struct Report {
    size_t documents = 0;  // in force
    std::vector<config::Refusal> refused;
    bool lost_store = false;  // the store has no documents any more, those in force stay
    RolloutReport rollout;
  };

  Report report() const;

  /// Writes down what is believed, if that has changed. An error is logged.
  void save_cache();

  /// Documents came from there; false when there were none.
  bool started_from_cache() const { return started_from_cache_; }

 private:
  /// Whom to believe, by the first config; false: that cannot be known, see `result`.
  bool open_center(config::LoadResult& result);

  /// Takes what is no document out of them.
  void take_rollout(std::vector<fleet::StoredDocument>& documents, bool whole);
  config::LoadResult add_cached(config::LoadResult result);
  config::LoadResult add_local(config::LoadResult result);

  /// What is in force, with envelopes: what a cache is to bring back.
  void note_good();

  std::string path_;
  config::Assembly assembly_;
  std::unique_ptr<fleet::Intake> intake_;        // from the first load() on, with a config centre
  std::unique_ptr<fleet::Candidate> candidate_;  // likewise
  std::unique_ptr<DocumentLog> document_log_;
  std::string cache_path_;  // empty: none
  std::string cache_key_;
  std::map<std::string, std::string> good_;
  bool has_loaded_ = false;
  bool cache_is_stale_ = false;
  bool started_from_cache_ = false;
};

/// What stands in front of the keys of documents.
std::string documents_prefix(const config::ConfigCenter& center);

}  // namespace hangu::control
