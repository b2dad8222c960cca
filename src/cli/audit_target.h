// Which audit log a verb is about, and telling its gateway that somebody reads it.
#pragma once

#include <string>

#include "hangu/base/result.h"

#include "cli/verbs.h"

namespace hangu::cli {

struct AuditFiles {
  std::string path;
  std::string signing_key;  // as the config says; may be empty
};

/// The error says why nobody knows.
Result<AuditFiles, std::string> find_audit_log(const AuditTarget& target);

/// Has the gateway that writes this log record what is done with it; without such a gateway there
/// is nobody to tell. The error says why the log must not be read. `kind`: "read", "export",
/// "verify"; `what`: in words.
Result<void, std::string> announce_reading(const AuditTarget& target, const AuditFiles& files,
                                           std::string_view kind, std::string_view what);

}  // namespace hangu::cli
