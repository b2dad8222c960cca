// Parameters of a request: found, decoded, and taken for what their schema says they are.
#pragma once

#include "hangu/openapi/document.h"

#include "openapi/operation.h"

namespace hangu::openapi {

/// Types that a value of the schema may have, through all that it refers to.
uint8_t possible_types(const Schemas& schemas, SchemaIndex index);

/// The same of the items of a list.
uint8_t possible_item_types(const Schemas& schemas, SchemaIndex index);

void check_parameter(const Parameter& parameter, const Document::Found& found,
                     const ParameterSource& source, const Schemas& schemas, Problems& problems);

}  // namespace hangu::openapi
