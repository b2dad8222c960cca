// Records of new certificates in the audit log.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "hangu/audit/audit_log.h"

namespace hangu::server {

/// One record for each file that is new, or of another time than before. Files by their paths, with
/// their times of change. Control thread.
void record_changes(audit::AuditLog& log, uint64_t generation,
                    const std::map<std::string, int64_t>& before,
                    const std::map<std::string, int64_t>& after);

}  // namespace hangu::server
