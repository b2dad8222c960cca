#include "hangu/policy/quota_table.h"

namespace hangu::policy {

QuotaTable::Place& QuotaTable::place(uint64_t key, uint32_t window, bool& shared) noexcept {
  Place* const found =
      table_.find_or_claim(key, [window](int64_t value) { return unpack(value).window < window; });
  shared = found == nullptr;
  return found != nullptr ? *found : table_.shared();
}

template <class Change>
void QuotaTable::change(Place& place, const Change& change) noexcept {
  int64_t value = place.value.load();
  int64_t changed = 0;
  do {
    changed = change(value);
  } while (changed != value && !place.value.replace(value, changed));
}

QuotaTable::Taken QuotaTable::take(uint64_t key, uint32_t window, uint64_t limit,
                                   uint64_t cost) noexcept {
  Taken taken;
  change(place(key, window, taken.shared), [&](int64_t value) {
    Count count = current(value, window);
    taken.allowed = count.used <= limit && cost <= limit - count.used;
    count.used += taken.allowed ? cost : 0;
    taken.used = count.used;
    return taken.allowed ? pack(count) : value;
  });
  return taken;
}

QuotaTable::Taken QuotaTable::probe(uint64_t key, uint32_t window, uint64_t limit,
                                    uint64_t cost) noexcept {
  const Place* const found = table_.find(key);
  const uint64_t used = found != nullptr ? current(found->value.load(), window).used : 0;
  return {.allowed = used <= limit && cost <= limit - used, .used = used};
}

void QuotaTable::charge(uint64_t key, uint32_t window, uint64_t cost) noexcept {
  bool shared = false;
  change(place(key, window, shared), [&](int64_t value) {
    Count count = current(value, window);
    count.used += std::min(cost, kQuotaMax);
    return pack(count);
  });
}

void QuotaTable::give_back(uint64_t key, uint32_t window, uint64_t cost) noexcept {
  Place* const found = table_.find(key);
  change(found != nullptr ? *found : table_.shared(), [&](int64_t value) {
    Count count = unpack(value);
    if (count.window < window) {
      return value;
    }
    count.used -= std::min(cost, count.used);
    return pack(count);
  });
}

}  // namespace hangu::policy
