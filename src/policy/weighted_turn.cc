#include "hangu/policy/weighted_turn.h"

#include <algorithm>
#include <unordered_map>

namespace hangu::policy {
namespace {

constexpr uint64_t kStride = uint64_t{1} << 32;  // of a weight of 1

// A member that outweighs all others comes up again and again.
constexpr size_t kSkipsMax = 64;

}  // namespace

void WeightedTurn::set(std::span<const Member> members) {
  std::unordered_map<uint32_t, Due> before;
  for (const Due& due : due_) {
    before.emplace(due.id, due);
  }
  due_.clear();
  for (const Member& member : members) {
    const uint64_t stride = kStride / member.weight;
    uint64_t wait = stride / 2;  // spreads the heavy ones among the light ones from the start
    if (const auto known = before.find(member.id); known != before.end()) {
      const double part =
          static_cast<double>(known->second.at - now_) / static_cast<double>(known->second.stride);
      wait = static_cast<uint64_t>(part * static_cast<double>(stride));
    }
    due_.push_back({.at = now_ + wait, .stride = stride, .id = member.id});
  }
  std::make_heap(due_.begin(), due_.end(), later);
}

uint32_t WeightedTurn::take() noexcept {
  std::pop_heap(due_.begin(), due_.end(), later);
  Due& due = due_.back();
  const uint32_t id = due.id;
  now_ = due.at;
  due.at += due.stride;
  std::push_heap(due_.begin(), due_.end(), later);
  return id;
}

uint32_t WeightedTurn::next(uint32_t skipped) noexcept {
  uint32_t id = take();
  for (size_t skips = 0; id == skipped && due_.size() > 1 && skips < kSkipsMax; ++skips) {
    id = take();
  }
  if (id == skipped) {
    const auto other =
        std::find_if(due_.begin(), due_.end(), [&](const Due& due) { return due.id != skipped; });
    return other != due_.end() ? other->id : id;
  }
  return id;
}

}  // namespace hangu::policy
