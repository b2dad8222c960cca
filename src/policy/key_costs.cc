#include "hangu/policy/key_costs.h"

#include <algorithm>

namespace hangu::policy {
namespace {

constexpr size_t kPlacesMin = 64;

}  // namespace

/// Of the key, or an empty one for it.
KeyCosts::Entry& KeyCosts::place(uint32_t limit, uint64_t key) noexcept {
  const size_t mask = places_.size() - 1;
  size_t at = (key ^ limit * uint64_t{0x9E3779B97F4A7C15}) & mask;
  while (places_[at].cost != 0 && (places_[at].key != key || places_[at].limit != limit)) {
    at = (at + 1) & mask;
  }
  return places_[at];
}

void KeyCosts::grow() {
  const std::vector<Entry> before = std::move(places_);
  places_.assign(std::max(kPlacesMin, before.size() * 2), {});
  for (const Entry& entry : before) {
    if (entry.cost != 0) {
      place(entry.limit, entry.key) = entry;
    }
  }
}

bool KeyCosts::add(uint32_t limit, uint64_t key, uint64_t cost, size_t keys_max) {
  if (size_ * 2 >= places_.size()) {
    grow();
  }
  Entry& entry = place(limit, key);
  if (entry.cost == 0) {
    if (size_ == keys_max) {
      return false;
    }
    ++size_;
    entry.key = key;
    entry.limit = limit;
  }
  entry.cost += cost;
  return true;
}

std::vector<KeyCosts::Entry> KeyCosts::take() {
  std::vector<Entry> taken;
  taken.reserve(size_);
  for (Entry& entry : places_) {
    if (entry.cost != 0) {
      taken.push_back(entry);
      entry.cost = 0;
    }
  }
  size_ = 0;
  return taken;
}

}  // namespace hangu::policy
