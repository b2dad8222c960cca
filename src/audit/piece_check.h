// What can be said of a piece of a log by itself: whether its records fit each other. Pure; several
// pieces are checked side by side.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "hangu/audit/chain.h"

namespace hangu::audit {

struct PieceFinding {
  uint64_t line = 0;  // within the piece, from 1
  uint64_t seq = 0;
  std::string kind;
  std::string text;
};

/// A record that means something to the verification.
struct Mark {
  uint64_t line = 0;
  std::string text;
};

struct PieceCheck {
  uint64_t lines = 0;
  uint64_t bytes = 0;
  bool any = false;  // there is a record at all
  uint64_t first_seq = 0;
  uint64_t first_line = 0;
  std::string first_prev;
  uint64_t last_seq = 0;
  std::string last_hash;
  std::string last_time;
  bool any_checkpoint = false;
  std::string unsigned_since;  // time of the first record behind the last checkpoint
  std::vector<PieceFinding> findings;
  std::vector<Mark> marks;
  uint64_t shipped_compared = 0;
};

/// Shipped checkpoints: the hash of a record, by its number.
using ShippedHashes = std::unordered_map<uint64_t, std::string>;

PieceCheck check_piece(std::string_view piece, DigestKind kind, const ShippedHashes& shipped);

/// What is wrong between a record and the next; no kind: nothing.
PieceFinding check_link(uint64_t seq, std::string_view hash, uint64_t next_seq,
                        std::string_view next_prev);

}  // namespace hangu::audit
