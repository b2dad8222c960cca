// The schemas that the table of routes names.
#pragma once

#include <string_view>

namespace hangu::admin {

/// A JSON object, of schemas by their names.
std::string_view openapi_schemas();

}  // namespace hangu::admin
