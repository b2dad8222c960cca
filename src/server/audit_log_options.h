// The audit log's options as the config says them.
#pragma once

#include "hangu/audit/audit_log.h"
#include "hangu/config/config.h"

namespace hangu::server {

audit::AuditLogOptions audit_log_options(const config::Config& config, uint32_t shards);

}  // namespace hangu::server
