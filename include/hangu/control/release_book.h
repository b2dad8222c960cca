// ReleaseBook: where releases are written down, so that they outlive the process, or are known to
// other nodes. What is written is small and plain, with a form as JSON. Control thread; what takes
// time is done elsewhere.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hangu/policy/release.h"

namespace hangu::control {

class Loader;

struct SavedRelease {
  std::string route;
  std::string release;  // policy::release_identity(): of another one this says nothing
  std::string guard;    // policy::guard_identity(), by which the state came about
  policy::ReleaseState state;
  bool operator==(const SavedRelease&) const = default;
};

using SavedReleases = std::vector<SavedRelease>;

std::string encode(const SavedReleases& releases);
/// nullopt: it is damaged, or of a version that this one does not know.
std::optional<SavedReleases> decode_releases(std::string_view text);

/// What a node has seen, for the one that judges: of this release, since that revision of it.
struct ReleaseTestimony {
  std::string release;  // policy::release_identity()
  uint64_t judged_from = 0;
  policy::ReleaseEvidence seen;
  bool operator==(const ReleaseTestimony&) const = default;
};

std::string encode(const ReleaseTestimony& testimony);
std::optional<ReleaseTestimony> decode_testimony(std::string_view text);

class ReleaseBook {
 public:
  using OnNews = std::function<void(const SavedReleases&)>;

  virtual ~ReleaseBook() = default;

  /// What is known now; nothing as well while it is not.
  virtual SavedReleases load() = 0;

  /// All of them, those included whose route is not there at the moment.
  virtual void save(const SavedReleases& releases) = 0;

  /// Whom to tell what others have written, in any order and more than once: whoever gets it goes
  /// by ReleaseState::revision. A book that nobody else writes never does.
  virtual void on_news(OnNews /*news*/) {}
};

/// A file of the state directory.
class ReleaseFile final : public ReleaseBook {
 public:
  /// `writer`: waits for the disk; outlives it.
  ReleaseFile(std::string directory, Loader& writer)
      : directory_(std::move(directory)),
        writer_(writer) {}

  SavedReleases load() override;
  void save(const SavedReleases& releases) override;

 private:
  std::string directory_;
  Loader& writer_;
};

}  // namespace hangu::control
