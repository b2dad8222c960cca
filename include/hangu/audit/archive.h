// The files of an audit log: the one that is written, and beside it the complete ones, named by the
// number of their first record: "audit.log.0000000000001234", or with ".zst" once packed. So their
// names, sorted, are the order of the chain. Functions; any thread but a shard's.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "hangu/base/clock.h"
#include "hangu/base/result.h"

namespace hangu::audit {

struct ArchivedFile {
  std::string path;
  uint64_t first_seq = 0;
  uint64_t last_seq = 0;  // 0: that before the file that is being written
  bool packed = false;
  WallTime modified{};  // of a complete file: the time of its last record
};

std::string archived_path(const std::string& path, uint64_t first_seq);

/// In the order of the chain. Of a file that is there packed and not, the latter: packing it was
/// not finished.
std::vector<ArchivedFile> archived_files(const std::string& path);

/// The files that have to go; `retention` of 0: none.
std::vector<ArchivedFile> expired_files(const std::vector<ArchivedFile>& files, WallTime now,
                                        Duration retention);

/// Puts `path`.zst, with the same times and mode, in the place of `path`. What is there at any
/// moment is complete. When `cancelled` becomes true, it ends with an error and nothing is changed.
Result<void, std::string> pack_file(const std::string& path,
                                    const std::atomic<bool>* cancelled = nullptr);

}  // namespace hangu::audit
