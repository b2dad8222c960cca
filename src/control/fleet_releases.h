// FleetReleases: the releases of services as the nodes of a fleet share them: in a book of this
// node, and in one key of the store, where of two nodes' words on a release the later revision
// counts. It talks to nobody; FleetMember carries its texts. Control thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "hangu/control/release_book.h"

namespace hangu::control {

class FleetReleases final : public ReleaseBook {
 public:
  explicit FleetReleases(std::shared_ptr<ReleaseBook> local)
      : local_(std::move(local)) {}

  SavedReleases load() override { return local_->load(); }

  void save(const SavedReleases& releases) override;

  void on_news(OnNews news) override { news_ = std::move(news); }

  /// What the key holds now; none: there is no such key. `leads`: of a route whose release has
  /// become another one, this node's word counts.
  void take(std::optional<std::string_view> text, bool leads);

  /// What it should hold; nothing: it does.
  std::optional<std::string> to_write(bool leads) const;

 private:
  using ByRoute = std::map<std::string, SavedRelease, std::less<>>;

  std::shared_ptr<ReleaseBook> local_;
  OnNews news_;
  ByRoute ours_;
  ByRoute stored_;
  bool readable_ = true;  // what the key holds
};

}  // namespace hangu::control
