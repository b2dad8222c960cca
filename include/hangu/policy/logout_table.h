// LogoutTable: whose sessions have been ended, and when, shared by all shards of the node without a
// lock: sessions that clients keep cannot be deleted, so what began before has to be known for as
// long as one of them could last. Bounded; it never forgets too early: what finds no place is
// refused. A look costs two cache lines, and nothing before the first entry.
//
// A place is one word, 32 bits of the key and the time. A session is taken for one that was ended
// when 32 bits of its key happen to be alike in the same set, one in 10⁸ with a table that is full:
// then somebody logs in once more.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "hangu/policy/place_sets.h"

namespace hangu::policy {

class LogoutTable {
 public:
  /// For about `entries_max` at once. `start_s`: Unix time before all that comes.
  LogoutTable(size_t entries_max, int64_t start_s);

  LogoutTable(const LogoutTable&) = delete;
  LogoutTable& operator=(const LogoutTable&) = delete;

  /// `key`: a hash that nobody can foresee. What began at `now_s` or before is over. Entries that
  /// are older than the longest `keep_s` there ever was make room. False: there is none.
  bool end(uint64_t key, int64_t now_s, int64_t keep_s) noexcept;

  /// Whether what began then has been ended.
  bool ended(uint64_t key, int64_t begun_s) const noexcept;

 private:
  static constexpr uint64_t kTimeMask = UINT32_MAX;

  int64_t kept_for(int64_t keep_s) noexcept;
  PlaceSets::Both sets_of(uint64_t key) const noexcept;
  uint64_t word_of(uint64_t key, int64_t time_s) const noexcept;
  PlaceSets::Vacancy place_for(uint64_t key, uint64_t oldest) const noexcept;

  PlaceSets sets_;
  int64_t start_s_;
  std::atomic<bool> any_{false};
  std::atomic<int64_t> keep_max_s_{0};
};

}  // namespace hangu::policy
