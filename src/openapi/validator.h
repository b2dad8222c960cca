// Validator: holds a JSON value against a schema. The work is bounded: what would take more steps
// or levels than any honest value does is refused.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <boost/json/value.hpp>

#include "hangu/openapi/document.h"

#include "openapi/schema.h"

namespace hangu::openapi {

class Validator {
 public:
  static constexpr uint32_t kStepsMax = 1'000'000;
  static constexpr uint32_t kDepthMax = 128;  // schemas within schemas, references included

  /// `place` and `name`: what problems say beside the pointer.
  Validator(const Schemas& schemas, Place place, std::string_view name, Problems& problems)
      : schemas_(schemas),
        place_(place),
        name_(name),
        problems_(&problems) {}

  void check(const boost::json::value& value, SchemaIndex schema);

 private:
  using Value = boost::json::value;

  bool fits(const Value& value, SchemaIndex index);
  bool fits_own(const Value& value, const Schema& schema);
  bool fits_number(const Value& value, const Schema& schema);
  bool fits_string(const boost::json::string& text, const Schema& schema);
  bool fits_array(const boost::json::array& array, const Schema& schema);
  bool fits_object(const boost::json::object& object, const Schema& schema);
  bool fits_members(const boost::json::object& object, const Schema& schema);
  bool fits_member(const Value& value, std::string_view name, const Schema& schema);
  bool fits_combinations(const Value& value, const Schema& schema);
  bool fits_silently(const Value& value, SchemaIndex index);
  bool within(std::string_view part, const Value& value, SchemaIndex index);
  bool say(std::string expected);
  bool step();

  const Schemas& schemas_;
  Place place_;
  std::string_view name_;
  Problems* problems_;
  std::string pointer_;
  uint32_t steps_ = 0;
  uint32_t depth_ = 0;
  uint32_t silent_ = 0;
  bool given_up_ = false;
};

}  // namespace hangu::openapi
