// What status says of the parts of a gateway: its audit log, circuit breakers, shards. Control
// thread.
#pragma once

#include "hangu/audit/audit_log.h"
#include "hangu/policy/circuit_breaker.h"
#include "hangu/server/gateway.h"

#include "server/shard.h"

namespace hangu::server {

AuditStatus status_of(const audit::AuditLog& log);
CircuitStatus status_of(const policy::CircuitBreaker& breaker);
/// From its statistics: the shard itself is not asked.
ShardStatus status_of(const ShardOptions& shard);

}  // namespace hangu::server
