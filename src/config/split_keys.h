// `split` of a route: who shares its requests, and how a new version is released; see schema.h.
#pragma once

#include "hangu/config/config.h"

#include "config/type.h"

namespace hangu::config {

TypePtr<Split> split_keys();

}  // namespace hangu::config
