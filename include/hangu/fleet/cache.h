// The last good documents on disk, so that a gateway starts while the store cannot be reached.
// Their signatures are within them and are looked at again; a digest tells of a file that was cut
// or damaged. Written whole, under another name, and moved into its place. Not for shards.
#pragma once

#include <string>
#include <vector>

#include "hangu/base/result.h"
#include "hangu/fleet/intake.h"

namespace hangu::fleet {

/// `path` gets mode 0600. `secret`: what to encrypt it with; empty: nothing.
Result<void, std::string> write_cache(const std::string& path,
                                      const std::vector<StoredDocument>& documents,
                                      const std::string& secret);

/// Nothing when there is no such file; the error says why it cannot be used.
Result<std::vector<StoredDocument>, std::string> read_cache(const std::string& path,
                                                            const std::string& secret);

}  // namespace hangu::fleet
