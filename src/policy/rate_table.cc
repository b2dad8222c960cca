#include "hangu/policy/rate_table.h"

namespace hangu::policy {

template <template <class> class Word>
typename BasicRateTable<Word>::Place& BasicRateTable<Word>::place(uint64_t key, int64_t now_ns,
                                                                  bool& shared) noexcept {
  Place* const found =
      table_.find_or_claim(key, [now_ns](int64_t full_at_ns) { return full_at_ns <= now_ns; });
  shared = found == nullptr;
  return found != nullptr ? *found : table_.shared();
}

template <template <class> class Word>
template <class Change>
void BasicRateTable<Word>::change(Place& place, const Change& change) noexcept {
  int64_t full_at_ns = place.value.load();
  int64_t changed = 0;
  do {
    changed = change(full_at_ns);
  } while (changed != full_at_ns && !place.value.replace(full_at_ns, changed));
}

template <template <class> class Word>
typename BasicRateTable<Word>::Taken BasicRateTable<Word>::take(uint64_t key, const Gcra& rate,
                                                                uint64_t cost,
                                                                int64_t now_ns) noexcept {
  Taken taken;
  change(place(key, now_ns, taken.shared), [&](int64_t full_at_ns) {
    taken.decision = rate.decide(full_at_ns, now_ns, cost);
    return taken.decision.allowed ? taken.decision.full_at_ns : full_at_ns;
  });
  return taken;
}

template <template <class> class Word>
typename BasicRateTable<Word>::Taken BasicRateTable<Word>::probe(uint64_t key, const Gcra& rate,
                                                                 uint64_t cost,
                                                                 int64_t now_ns) noexcept {
  const Place* const found = table_.find(key);
  return {.decision = rate.decide(found != nullptr ? found->value.load() : 0, now_ns, cost)};
}

template <template <class> class Word>
void BasicRateTable<Word>::charge(uint64_t key, const Gcra& rate, uint64_t cost,
                                  int64_t now_ns) noexcept {
  bool shared = false;
  change(place(key, now_ns, shared),
         [&](int64_t full_at_ns) { return rate.charge(full_at_ns, now_ns, cost); });
}

template <template <class> class Word>
void BasicRateTable<Word>::give_back(uint64_t key, const Gcra& rate, uint64_t cost,
                                     int64_t now_ns) noexcept {
  Place* const found = table_.find(key);
  change(found != nullptr ? *found : table_.shared(), [&](int64_t full_at_ns) {
    return full_at_ns > now_ns ? full_at_ns - rate.time_of(cost) : full_at_ns;
  });
}

template <template <class> class Word>
void BasicRateTable<Word>::raise(uint64_t key, int64_t full_at_ns, int64_t now_ns) noexcept {
  bool shared = false;
  Place& found = place(key, now_ns, shared);
  if (!shared) {
    change(found, [full_at_ns](int64_t before) { return std::max(before, full_at_ns); });
  }
}

template <template <class> class Word>
void BasicRateTable<Word>::rescale(const Gcra& from, const Gcra& to, int64_t now_ns) noexcept {
  const auto convert = [&](int64_t full_at_ns) {
    return full_at_ns > now_ns ? to.rescale(full_at_ns, now_ns, from) : full_at_ns;
  };
  for (Place& each : table_.places()) {
    if (each.key.load() != 0) {  // else its memory may not have been touched yet
      change(each, convert);
    }
  }
  change(table_.shared(), convert);
}

template class BasicRateTable<SharedWord>;
template class BasicRateTable<OwnWord>;

}  // namespace hangu::policy
