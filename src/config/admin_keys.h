// `admin`; see schema.h.
#pragma once

#include "hangu/config/config.h"

#include "config/type.h"

namespace hangu::config {

TypePtr<Admin> admin_keys();

}  // namespace hangu::config
