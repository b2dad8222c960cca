// What a process still counts of quotas once its successor has taken over the file of them: left in
// files of their own beside that one, a new one each time, which the successor adds to its counts
// and removes. Not for shards: it waits for the disk.
#pragma once

#include <string>
#include <system_error>
#include <vector>

#include "server/quota_file.h"

namespace hangu::server {

/// What `now` has counted more than `before`; quotas and keys without any are left out.
std::vector<SavedQuota> counted_since(const std::vector<SavedQuota>& before,
                                      const std::vector<SavedQuota>& now);

/// Writes one more file; `number` is another one each time in this process.
std::error_code leave_late_quotas(const std::string& directory, uint64_t number,
                                  const std::vector<SavedQuota>& late);

/// What all such files have, which are removed then. Damaged ones are removed and logged.
std::vector<SavedQuota> take_late_quotas(const std::string& directory);

}  // namespace hangu::server
