// The admin API as OpenAPI 3.1 describes it: made from the table that routes requests, so that it
// cannot say anything else. Pure; any thread.
#pragma once

#include <string>

namespace hangu::admin {

/// JSON, indented.
std::string openapi_text();

}  // namespace hangu::admin
