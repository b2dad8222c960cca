#include "control/fleet_releases.h"

#include <utility>

namespace hangu::control {

void FleetReleases::save(const SavedReleases& releases) {
  local_->save(releases);
  ours_.clear();
  for (const SavedRelease& each : releases) {
    ours_[each.route] = each;
  }
}

void FleetReleases::take(std::optional<std::string_view> text) {
  const auto decoded = text ? decode_releases(*text) : SavedReleases();
  if (!decoded) {
    return;  // of another version of hangu: let it be
  }
  ByRoute stored;
  for (const SavedRelease& each : *decoded) {
    stored[each.route] = each;
  }
  if (stored == stored_) {
    return;
  }
  stored_ = std::move(stored);
  if (news_) {
    news_(*decoded);
  }
}

std::optional<std::string> FleetReleases::to_write(bool leads) const {
  ByRoute merged = stored_;
  for (const auto& [route, ours] : ours_) {
    const auto found = merged.find(route);
    const bool same = found != merged.end() && found->second.release == ours.release;
    if (found == merged.end() || (same && ours.state.revision > found->second.state.revision) ||
        (!same && leads)) {
      merged[route] = ours;
    }
  }
  if (merged == stored_) {
    return std::nullopt;
  }
  SavedReleases all;
  for (auto& [route, release] : merged) {
    all.push_back(std::move(release));
  }
  return encode(all);
}

}  // namespace hangu::control
