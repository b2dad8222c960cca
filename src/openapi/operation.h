// Operation: what one method of one path takes, compiled.
#pragma once

#include <string>
#include <vector>

#include "hangu/openapi/document.h"

#include "openapi/schema.h"

namespace hangu::openapi {

struct Parameter {
  std::string name;
  Place place = Place::kQuery;
  bool required = false;
  bool allow_empty = false;
  bool explode = false;           // of a list in a query: each item by itself
  uint8_t types = kAnyType;       // that its text may stand for
  uint8_t item_types = kAnyType;  // the same of its items
  size_t capture = 0;             // of the path
  SchemaIndex schema = kNoSchema;
};

struct MediaType {
  std::string range;  // lower case: "application/json", "image/*", "*/*"
  SchemaIndex schema = kNoSchema;
};

struct Operation {
  std::string name;
  std::string method;
  std::vector<Parameter> parameters;
  std::vector<MediaType> media_types;  // the most special first
  bool has_body = false;
  bool body_required = false;
};

}  // namespace hangu::openapi
