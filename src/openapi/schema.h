// Schema: what of a JSON Schema requests are held against, compiled. Schemas refer to each other by
// index, so that they may be recursive.
#pragma once

#include <re2/re2.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/json/value.hpp>

#include "openapi/formats.h"

namespace hangu::openapi {

using SchemaIndex = uint32_t;

inline constexpr SchemaIndex kNoSchema = UINT32_MAX;

/// Bits of Schema::types.
enum Type : uint8_t {
  kNull = 1,
  kBoolean = 2,
  kInteger = 4,
  kNumber = 8,  // with a fraction, too
  kString = 16,
  kArray = 32,
  kObject = 64,
  kAnyType = 127,
};

struct Property {
  std::string name;
  SchemaIndex schema = kNoSchema;
};

struct PatternProperty {
  std::shared_ptr<const re2::RE2> pattern;
  SchemaIndex schema = kNoSchema;
};

struct Schema {
  static constexpr size_t kUnlimited = std::numeric_limits<size_t>::max();

  uint8_t types = kAnyType;
  bool nothing = false;                                    // false: no value fits
  bool read_only = false;                                  // a request need not have it
  std::optional<std::vector<boost::json::value>> choices;  // enum, const

  std::optional<double> minimum;
  std::optional<double> maximum;
  bool above_minimum = false;  // not the minimum itself
  bool below_maximum = false;
  std::optional<double> multiple_of;

  size_t length_min = 0;  // characters
  size_t length_max = kUnlimited;
  std::shared_ptr<const re2::RE2> pattern;
  Format format = Format::kNone;

  std::vector<SchemaIndex> prefix_items;
  SchemaIndex items = kNoSchema;
  size_t items_min = 0;
  size_t items_max = kUnlimited;
  bool unique_items = false;

  std::vector<Property> properties;  // sorted
  std::vector<PatternProperty> pattern_properties;
  std::vector<std::string> required;
  SchemaIndex additional = kNoSchema;  // kNoSchema: anything
  size_t properties_min = 0;
  size_t properties_max = kUnlimited;

  std::vector<SchemaIndex> all_of;
  std::vector<SchemaIndex> any_of;
  std::vector<SchemaIndex> one_of;
  SchemaIndex not_schema = kNoSchema;
};

using Schemas = std::vector<Schema>;

}  // namespace hangu::openapi
