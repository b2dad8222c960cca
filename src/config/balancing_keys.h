// The tables of what decides which endpoint gets a request; see schema.h.
#pragma once

#include "config/type.h"

namespace hangu::config {

TypePtr<Balancing> balancing_keys();
TypePtr<Ejection> ejection_keys();
TypePtr<HealthCheck> health_check_keys();

}  // namespace hangu::config
