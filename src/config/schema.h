// The table of keys: every key of the config file, declared exactly once, in
// schema.cc and the *_keys.cc beside it. The loader,
// the printer, the JSON Schema and the documents all walk it.
#pragma once

#include <string>
#include <string_view>

#include "config/type.h"

namespace hangu::config {

/// The mapping at the top of a file; an ObjectType<Config>. Built on first use, then immutable.
const Type& root_type();

/// Where a key of this name may stand, for suggestions: "listeners[].limits.headers"; may be empty.
std::string places_of_key(std::string_view name);

}  // namespace hangu::config
