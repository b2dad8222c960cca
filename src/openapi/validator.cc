#include "openapi/validator.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <fmt/format.h>

#include "openapi/schema_compiler.h"

namespace hangu::openapi {
namespace {

namespace json = boost::json;

constexpr double kInt32Bound = 2147483648.0;
constexpr double kInt64Bound = 9223372036854775808.0;

double as_double(const json::value& value) {
  return value.is_int64()    ? static_cast<double>(value.get_int64())
         : value.is_uint64() ? static_cast<double>(value.get_uint64())
                             : value.get_double();
}

uint8_t type_of(const json::value& value) {
  constexpr uint8_t kWhole = kInteger | kNumber;
  switch (value.kind()) {
    case json::kind::null: return kNull;
    case json::kind::bool_: return kBoolean;
    case json::kind::int64:
    case json::kind::uint64: return kWhole;
    case json::kind::double_:
      // 1.0 is a whole number.
      return std::trunc(value.get_double()) == value.get_double() ? kWhole : uint8_t{kNumber};
    case json::kind::string: return kString;
    case json::kind::array: return kArray;
    case json::kind::object: return kObject;
  }
  return 0;
}

std::string names_of(uint8_t types) {
  constexpr std::array<std::pair<uint8_t, std::string_view>, 7> kNames = {
      {{kObject, "an object"},
       {kArray, "a list"},
       {kString, "a text"},
       {kNumber, "a number"},
       {kInteger, "a whole number"},
       {kBoolean, "true or false"},
       {kNull, "null"}}};
  std::string text;
  for (const auto& [type, name] : kNames) {
    if ((types & type) != 0) {
      text.append(text.empty() ? "" : " or ").append(name);
    }
  }
  return text.empty() ? "nothing" : text;
}

/// UTF-8, as it was checked when it was parsed.
size_t characters(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

/// An order of all values, for finding equal ones: by kind, then by contents.
int compare(const json::value& a, const json::value& b);

int compare_objects(const json::object& a, const json::object& b) {
  if (a.size() != b.size()) {
    return a.size() < b.size() ? -1 : 1;
  }
  const auto sorted = [](const json::object& object) {
    std::vector<const json::key_value_pair*> members;
    for (const json::key_value_pair& member : object) {
      members.push_back(&member);
    }
    std::sort(members.begin(), members.end(),
              [](const auto* one, const auto* other) { return one->key() < other->key(); });
    return members;
  };
  const auto left = sorted(a);
  const auto right = sorted(b);
  for (size_t i = 0; i < left.size(); ++i) {
    if (const int names = left[i]->key().compare(right[i]->key()); names != 0) {
      return names;
    }
    if (const int values = compare(left[i]->value(), right[i]->value()); values != 0) {
      return values;
    }
  }
  return 0;
}

int compare(const json::value& a, const json::value& b) {
  if (a.is_number() && b.is_number()) {
    if (a.is_int64() && b.is_int64()) {
      return a.get_int64() < b.get_int64() ? -1 : a.get_int64() > b.get_int64() ? 1 : 0;
    }
    if (a.is_uint64() && b.is_uint64()) {
      return a.get_uint64() < b.get_uint64() ? -1 : a.get_uint64() > b.get_uint64() ? 1 : 0;
    }
    const double left = as_double(a);
    const double right = as_double(b);
    return left < right ? -1 : left > right ? 1 : 0;
  }
  if (a.kind() != b.kind()) {
    return a.kind() < b.kind() ? -1 : 1;
  }
  if (a.is_string()) {
    return a.get_string().compare(b.get_string());
  }
  if (a.is_bool()) {
    return static_cast<int>(a.get_bool()) - static_cast<int>(b.get_bool());
  }
  if (a.is_object()) {
    return compare_objects(a.get_object(), b.get_object());
  }
  if (!a.is_array()) {
    return 0;
  }
  const json::array& left = a.get_array();
  const json::array& right = b.get_array();
  for (size_t i = 0; i < std::min(left.size(), right.size()); ++i) {
    if (const int items = compare(left[i], right[i]); items != 0) {
      return items;
    }
  }
  return left.size() < right.size() ? -1 : left.size() > right.size() ? 1 : 0;
}

bool are_unique(const json::array& array) {
  std::vector<const json::value*> items;
  items.reserve(array.size());
  for (const json::value& item : array) {
    items.push_back(&item);
  }
  std::sort(items.begin(), items.end(),
            [](const auto* a, const auto* b) { return compare(*a, *b) < 0; });
  return std::adjacent_find(items.begin(), items.end(), [](const auto* a, const auto* b) {
           return compare(*a, *b) == 0;
         }) == items.end();
}

std::string listed(const std::vector<json::value>& choices) {
  constexpr size_t kShownMax = 8;
  std::string text;
  for (size_t i = 0; i < std::min(choices.size(), kShownMax); ++i) {
    text.append(i == 0 ? "" : ", ").append(json::serialize(choices[i]));
  }
  return choices.size() > kShownMax ? text + ", …" : text;
}

bool matches(const re2::RE2& pattern, std::string_view text) {
  return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), pattern);
}

std::string_view view(const json::string& text) {
  return {text.data(), text.size()};
}

}  // namespace

void Validator::check(const Value& value, SchemaIndex schema) {
  static_cast<void>(fits(value, schema));
}

bool Validator::say(std::string expected) {
  if (silent_ == 0) {
    problems_->add({.place = place_,
                    .name = std::string(name_),
                    .pointer = pointer_,
                    .expected = std::move(expected)});
  }
  return false;
}

/// False, once and for all: too much work.
bool Validator::step() {
  if (given_up_ || ++steps_ > kStepsMax || depth_ > kDepthMax) {
    if (!given_up_) {
      given_up_ = true;
      silent_ = 0;
      say("a value that is simpler to check");
    }
    return false;
  }
  return true;
}

bool Validator::fits(const Value& value, SchemaIndex index) {
  ++depth_;
  bool good = step();
  if (good) {
    const Schema& schema = schemas_[index];
    good = fits_own(value, schema);
    good = fits_combinations(value, schema) && good;
  }
  --depth_;
  return good && !given_up_;
}

bool Validator::fits_own(const Value& value, const Schema& schema) {
  if (schema.nothing) {
    return say("nothing: it is not allowed");
  }
  if ((type_of(value) & schema.types) == 0) {
    return say(names_of(schema.types));
  }
  if (schema.choices) {
    const bool found =
        std::any_of(schema.choices->begin(), schema.choices->end(),
                    [&](const Value& choice) { return compare(choice, value) == 0; });
    if (!found) {
      return say("one of " + listed(*schema.choices));
    }
  }
  switch (value.kind()) {
    case json::kind::int64:
    case json::kind::uint64:
    case json::kind::double_: return fits_number(value, schema);
    case json::kind::string: return fits_string(value.get_string(), schema);
    case json::kind::array: return fits_array(value.get_array(), schema);
    case json::kind::object: return fits_object(value.get_object(), schema);
    default: return true;
  }
}

bool Validator::fits_number(const Value& value, const Schema& schema) {
  const double number = as_double(value);
  bool good = true;
  if (schema.minimum &&
      (schema.above_minimum ? number <= *schema.minimum : number < *schema.minimum)) {
    good =
        say(fmt::format("{} {}", schema.above_minimum ? "more than" : "at least", *schema.minimum));
  }
  if (schema.maximum &&
      (schema.below_maximum ? number >= *schema.maximum : number > *schema.maximum)) {
    good =
        say(fmt::format("{} {}", schema.below_maximum ? "less than" : "at most", *schema.maximum));
  }
  if (schema.multiple_of) {
    const double times = number / *schema.multiple_of;
    constexpr double kTolerance = 1e-9;
    if (std::abs(times - std::round(times)) > kTolerance * std::max(1.0, std::abs(times))) {
      good = say(fmt::format("a multiple of {}", *schema.multiple_of));
    }
  }
  const bool whole = schema.format == Format::kInt32 || schema.format == Format::kInt64;
  const double bound = schema.format == Format::kInt32 ? kInt32Bound : kInt64Bound;
  if (whole && (number < -bound || number >= bound || std::trunc(number) != number)) {
    good = say(std::string(describe(schema.format)));
  }
  return good;
}

bool Validator::fits_string(const json::string& text, const Schema& schema) {
  bool good = true;
  if (schema.length_min != 0 || schema.length_max != Schema::kUnlimited) {
    const size_t length = characters(view(text));
    if (length < schema.length_min) {
      good = say(fmt::format("at least {} characters", schema.length_min));
    } else if (length > schema.length_max) {
      good = say(fmt::format("at most {} characters", schema.length_max));
    }
  }
  if (schema.pattern != nullptr && !matches(*schema.pattern, view(text))) {
    good = say(fmt::format("a text that matches {}", schema.pattern->pattern()));
  }
  if (!openapi::fits(schema.format, view(text))) {
    good = say(std::string(describe(schema.format)));
  }
  return good;
}

/// Of a member or an item, with its place in the pointer.
bool Validator::within(std::string_view part, const Value& value, SchemaIndex index) {
  const size_t size = pointer_.size();
  pointer_.append("/").append(part);
  const bool good = fits(value, index);
  pointer_.resize(size);
  return good;
}

bool Validator::fits_array(const json::array& array, const Schema& schema) {
  bool good = true;
  if (array.size() < schema.items_min) {
    good = say(fmt::format("at least {} items", schema.items_min));
  } else if (array.size() > schema.items_max) {
    return say(fmt::format("at most {} items", schema.items_max));
  }
  for (size_t i = 0; i < array.size() && !problems_->full() && !given_up_; ++i) {
    const SchemaIndex index =
        i < schema.prefix_items.size() ? schema.prefix_items[i] : schema.items;
    if (index == kNoSchema) {
      break;
    }
    good = within(fmt::format_int(i).c_str(), array[i], index) && good;
  }
  if (schema.unique_items && array.size() > 1) {
    steps_ += static_cast<uint32_t>(std::min<size_t>(array.size(), kStepsMax));
    if (!step()) {
      return false;
    }
    good = (are_unique(array) || say("items that differ")) && good;
  }
  return good;
}

bool Validator::fits_object(const json::object& object, const Schema& schema) {
  bool good = true;
  if (object.size() < schema.properties_min) {
    good = say(fmt::format("at least {} members", schema.properties_min));
  } else if (object.size() > schema.properties_max) {
    return say(fmt::format("at most {} members", schema.properties_max));
  }
  for (const std::string& name : schema.required) {
    if (object.if_contains(name) != nullptr) {
      continue;
    }
    const auto found = std::lower_bound(
        schema.properties.begin(), schema.properties.end(), name,
        [](const Property& property, const std::string& wanted) { return property.name < wanted; });
    const bool known = found != schema.properties.end() && found->name == name;
    if (!known || !schemas_[found->schema].read_only) {
      good = say(fmt::format("a member `{}`", name));
    }
  }
  return fits_members(object, schema) && good;
}

bool Validator::fits_members(const json::object& object, const Schema& schema) {
  if (schema.properties.empty() && schema.pattern_properties.empty() &&
      schema.additional == kNoSchema) {
    return true;
  }
  bool good = true;
  for (const json::key_value_pair& member : object) {
    if (problems_->full() || given_up_) {
      return false;
    }
    const std::string_view name(member.key().data(), member.key().size());
    good = fits_member(member.value(), name, schema) && good;
  }
  return good;
}

bool Validator::fits_member(const Value& value, std::string_view name, const Schema& schema) {
  const auto found = std::lower_bound(
      schema.properties.begin(), schema.properties.end(), name,
      [](const Property& property, std::string_view wanted) { return property.name < wanted; });
  const std::string part = escape_pointer(name);
  bool known = found != schema.properties.end() && found->name == name;
  bool good = !known || within(part, value, found->schema);
  for (const PatternProperty& each : schema.pattern_properties) {
    if (step() && matches(*each.pattern, name)) {
      known = true;
      good = within(part, value, each.schema) && good;
    }
  }
  if (!known && schema.additional != kNoSchema) {
    good = within(part, value, schema.additional) && good;
  }
  return good;
}

bool Validator::fits_silently(const Value& value, SchemaIndex index) {
  ++silent_;
  const bool good = fits(value, index);
  silent_ -= silent_ != 0 ? 1 : 0;
  return good;
}

bool Validator::fits_combinations(const Value& value, const Schema& schema) {
  bool good = true;
  for (const SchemaIndex index : schema.all_of) {
    good = fits(value, index) && good;
  }
  if (!schema.any_of.empty()) {
    const bool any = std::any_of(schema.any_of.begin(), schema.any_of.end(),
                                 [&](SchemaIndex one) { return fits_silently(value, one); });
    good = (any || given_up_ || say("what one of several schemas asks for")) && good;
  }
  if (!schema.one_of.empty()) {
    const auto count = std::count_if(schema.one_of.begin(), schema.one_of.end(),
                                     [&](SchemaIndex one) { return fits_silently(value, one); });
    if (count != 1 && !given_up_) {
      good = say(count == 0 ? "what one of several schemas asks for"
                            : "what only one of several schemas asks for");
    }
  }
  if (schema.not_schema != kNoSchema && fits_silently(value, schema.not_schema)) {
    good = say("anything but what it is");
  }
  return good;
}

}  // namespace hangu::openapi
