// WeightedTurn: round robin by weight, smooth and without chance: in every stretch of turns each
// member gets its share, spread evenly. (Stride scheduling: each member is due again after a time
// that is the longer the less it weighs; the one that is due first is next.) One shard. A turn
// takes O(log n) and allocates nothing.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace hangu::policy {

class WeightedTurn {
 public:
  struct Member {
    uint32_t id = 0;
    uint32_t weight = 0;  // not 0
  };

  /// Replaces the members. Those whose id stays keep their place in the turn.
  void set(std::span<const Member> members);

  bool empty() const { return due_.empty(); }

  /// Whose turn it is; the member `skipped` only when there is no other. Not when empty.
  uint32_t next(uint32_t skipped) noexcept;

 private:
  struct Due {
    uint64_t at = 0;
    uint64_t stride = 0;
    uint32_t id = 0;
  };

  static bool later(const Due& a, const Due& b) noexcept {
    return a.at != b.at ? a.at > b.at : a.id > b.id;
  }

  uint32_t take() noexcept;

  std::vector<Due> due_;  // a heap, the first on top
  uint64_t now_ = 0;
};

}  // namespace hangu::policy
