#include "hangu/policy/priority_levels.h"

#include <algorithm>

namespace hangu::policy {
namespace {

constexpr uint32_t kOverprovisioningPercent = 140;

/// What it can take of all requests; something as long as one endpoint is well.
uint32_t able_percent(const PriorityLevel& level) {
  const uint32_t percent = level.well * kOverprovisioningPercent / level.endpoints;
  return level.well == 0 ? 0 : std::clamp(percent, 1U, 100U);
}

/// The loads in proportion to `shares`; what rounding leaves goes to the first that has any.
void share_out(std::vector<PriorityLevel>& levels, const std::vector<uint32_t>& shares) {
  uint32_t sum = 0;
  for (const uint32_t share : shares) {
    sum += share;
  }
  uint32_t left = sum == 0 ? 0 : 100;
  for (size_t i = 0; i < levels.size() && sum != 0; ++i) {
    levels[i].load_percent = shares[i] * 100 / sum;
    left -= levels[i].load_percent;
  }
  const auto first = std::find_if(levels.begin(), levels.end(), [](const PriorityLevel& level) {
    return level.load_percent != 0;
  });
  if (first != levels.end()) {
    first->load_percent += left;
  }
}

}  // namespace

std::vector<PriorityLevel> priority_levels(std::span<const LevelMember> members,
                                           uint32_t panic_percent) {
  std::vector<PriorityLevel> levels;
  for (const LevelMember& member : members) {
    auto at = std::lower_bound(
        levels.begin(), levels.end(), member.priority,
        [](const PriorityLevel& level, uint32_t priority) { return level.priority < priority; });
    if (at == levels.end() || at->priority != member.priority) {
      at = levels.insert(at, {.priority = member.priority});
    }
    ++at->endpoints;
    at->well += member.well ? 1 : 0;
  }
  uint32_t left = 100;
  for (PriorityLevel& level : levels) {
    const uint32_t able = able_percent(level);
    level.load_percent = std::min(able, left);
    left -= level.load_percent;
  }
  if (left == 0) {
    return levels;
  }
  std::vector<uint32_t> shares;
  for (PriorityLevel& level : levels) {
    level.panic = level.well * 100 < panic_percent * level.endpoints;
    shares.push_back(level.load_percent);
  }
  if (left == 100 && panic_percent != 0) {
    // Nobody is well: as if all were.
    for (size_t i = 0; i < levels.size(); ++i) {
      shares[i] = i == 0 ? 100 : 0;
    }
  }
  share_out(levels, shares);
  return levels;
}

}  // namespace hangu::policy
