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

void FleetReleases::take(std::optional<std::string_view> text, bool leads) {
  const auto decoded = text ? decode_releases(*text) : SavedReleases();
  readable_ = decoded.has_value();
  if (!readable_) {
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
  for (const auto& [route, theirs] : stored_) {  // for the next start, should the store be away
    const auto ours = ours_.find(route);
    const bool same = ours != ours_.end() && ours->second.release == theirs.release;
    if (same ? policy::outranks(theirs.state, ours->second.state) : !leads) {
      ours_[route] = theirs;
    }
  }
  SavedReleases all;
  for (const auto& [route, release] : ours_) {
    all.push_back(release);
  }
  local_->save(all);
  if (news_) {
    news_(*decoded);
  }
}

std::optional<std::string> FleetReleases::to_write(bool leads) const {
  ByRoute merged = stored_;
  for (const auto& [route, ours] : ours_) {
    const auto found = merged.find(route);
    const bool same = found != merged.end() && found->second.release == ours.release;
    if (found == merged.end() || (same && policy::outranks(ours.state, found->second.state)) ||
        (!same && leads)) {
      merged[route] = ours;
    }
  }
  if (merged == stored_ || !readable_) {
    return std::nullopt;
  }
  SavedReleases all;
  for (auto& [route, release] : merged) {
    all.push_back(std::move(release));
  }
  return encode(all);
}

}  // namespace hangu::control
