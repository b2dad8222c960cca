// Verification of an audit log: its chain over all of its files, its checkpoints, and those that
// were shipped elsewhere. It tells what is wrong from what is only to be known, and names the
// place. Blocks on the disk and uses several threads.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "hangu/base/result.h"

namespace hangu::audit {

struct VerifyOptions {
  std::string path;         // of the log; the complete files beside it are found
  std::string public_key;   // PEM file; empty: signatures are not checked
  std::string checkpoints;  // file of shipped checkpoints; may be empty
  unsigned threads = 1;
  /// Called now and then with the bytes read and those to read; may be empty.
  std::function<void(uint64_t done, uint64_t all)> on_progress;
};

/// What is wrong: somebody changed something.
struct Finding {
  std::string file;
  uint64_t line = 0;  // from 1; 0: the file as a whole
  uint64_t seq = 0;   // 0: none
  std::string kind;   // "changed", "missing", "reordered", "cut_off", ...
  std::string text;
  bool operator==(const Finding&) const = default;
};

/// What the log itself says of its gaps, and what this verification could not know.
struct Note {
  uint64_t seq = 0;
  std::string kind;  // "lost", "unclean_end", "open_end", "unsigned", ...
  std::string text;
};

struct Verification {
  std::vector<Finding> findings;  // in the order of the log; the first kFindingsMax
  uint64_t findings_total = 0;
  std::vector<Note> notes;
  uint64_t files = 0;
  uint64_t records = 0;
  uint64_t bytes = 0;  // as lines
  uint64_t first_seq = 0;
  uint64_t last_seq = 0;
  uint64_t checkpoints = 0;          // in the log
  uint64_t checkpoints_shipped = 0;  // that were compared
  uint64_t last_signed_seq = 0;
  uint64_t lost = 0;  // records, by the log's own word
  uint64_t runs = 0;  // starts of the process
  uint64_t unclean_ends = 0;

  bool good() const { return findings_total == 0; }
};

inline constexpr size_t kFindingsMax = 50;
inline constexpr size_t kNotesMax = 200;

/// The error says why there is nothing to verify.
Result<Verification, std::string> verify(const VerifyOptions& options);

}  // namespace hangu::audit
