// `discovery` of an upstream. See schema.cc.
#pragma once

#include "config/rules.h"
#include "config/type.h"

namespace hangu::config {

extern const TextRule kDnsServerRule;

TypePtr<Discovery> discovery_keys();

}  // namespace hangu::config
