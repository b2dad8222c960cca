#include "openapi/schema_compiler.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>

#include "hangu/base/nearest.h"

namespace hangu::openapi {
namespace {

namespace json = boost::json;

constexpr size_t kReferencesMax = 32;  // that refer to one another
constexpr int64_t kPatternMemoryMax = int64_t{1} << 20;

constexpr std::array<std::pair<std::string_view, uint8_t>, 7> kTypes = {{{"null", kNull},
                                                                         {"boolean", kBoolean},
                                                                         {"integer", kInteger},
                                                                         {"number", kNumber},
                                                                         {"string", kString},
                                                                         {"array", kArray},
                                                                         {"object", kObject}}};

// What describes and asks for nothing.
constexpr std::array<std::string_view, 19> kDescriptions = {
    "title",         "description", "default",     "example",         "examples",
    "deprecated",    "writeOnly",   "xml",         "externalDocs",    "$comment",
    "discriminator", "$defs",       "definitions", "contentEncoding", "contentMediaType",
    "$id",           "$schema",     "$anchor",     "readOnly"};

constexpr std::array<std::string_view, 27> kKeywords = {"type",
                                                        "nullable",
                                                        "enum",
                                                        "const",
                                                        "format",
                                                        "minimum",
                                                        "maximum",
                                                        "exclusiveMinimum",
                                                        "exclusiveMaximum",
                                                        "multipleOf",
                                                        "minLength",
                                                        "maxLength",
                                                        "pattern",
                                                        "items",
                                                        "prefixItems",
                                                        "minItems",
                                                        "maxItems",
                                                        "uniqueItems",
                                                        "properties",
                                                        "patternProperties",
                                                        "additionalProperties",
                                                        "required",
                                                        "minProperties",
                                                        "maxProperties",
                                                        "allOf",
                                                        "anyOf",
                                                        "oneOf"};

std::string_view text_of(const json::value& value) {
  const json::string* const text = value.if_string();
  return text != nullptr ? std::string_view(text->data(), text->size()) : std::string_view{};
}

std::optional<double> number_of(const json::value& value) {
  if (value.is_int64()) {
    return static_cast<double>(value.get_int64());
  }
  if (value.is_uint64()) {
    return static_cast<double>(value.get_uint64());
  }
  return value.is_double() ? std::optional(value.get_double()) : std::nullopt;
}

std::string unescape_pointer(std::string_view part) {
  std::string name;
  for (size_t i = 0; i < part.size(); ++i) {
    const bool escape = part[i] == '~' && i + 1 < part.size();
    name.push_back(escape ? (part[i + 1] == '1' ? '/' : '~') : part[i]);
    i += escape ? 1 : 0;
  }
  return name;
}

bool is_description(std::string_view keyword) {
  return keyword.starts_with("x-") ||
         std::find(kDescriptions.begin(), kDescriptions.end(), keyword) != kDescriptions.end();
}

}  // namespace

void SchemaCompiler::fault(const std::string& pointer, std::string message) {
  if (faults_.size() < Document::kFaultsMax) {
    faults_.push_back({.pointer = pointer, .message = std::move(message)});
  }
}

const json::value* SchemaCompiler::look_up(std::string_view pointer) const {
  const json::value* at = &root_;
  while (!pointer.empty()) {
    pointer.remove_prefix(1);
    const size_t end = std::min(pointer.find('/'), pointer.size());
    const std::string name = unescape_pointer(pointer.substr(0, end));
    pointer.remove_prefix(end);
    if (const json::object* const object = at->if_object()) {
      at = object->if_contains(name);
    } else if (const json::array* const array = at->if_array()) {
      size_t index = 0;
      const auto [last, error] = std::from_chars(name.data(), name.data() + name.size(), index);
      at = error == std::errc() && last == name.data() + name.size() && index < array->size()
               ? &(*array)[index]
               : nullptr;
    } else {
      at = nullptr;
    }
    if (at == nullptr) {
      return nullptr;
    }
  }
  return at;
}

const json::value* SchemaCompiler::resolve(std::string& pointer) {
  const std::string from = pointer;
  const json::value* at = look_up(pointer);
  for (size_t i = 0; at != nullptr && i < kReferencesMax; ++i) {
    const json::object* const object = at->if_object();
    const json::value* const reference = object != nullptr ? object->if_contains("$ref") : nullptr;
    if (reference == nullptr) {
      return at;
    }
    const std::string_view target = text_of(*reference);
    if (!target.starts_with("#/")) {
      fault(pointer, fmt::format("`$ref: {}` does not refer to this file (`#/…`)", target));
      return nullptr;
    }
    pointer = target.substr(1);
    at = look_up(pointer);
    if (at == nullptr) {
      fault(from, fmt::format("`$ref: {}` refers to nothing", target));
      return nullptr;
    }
  }
  if (at != nullptr) {
    fault(from, "references refer to one another");
  }
  return nullptr;
}

SchemaIndex SchemaCompiler::compile(const std::string& pointer) {
  const auto [known, added] = known_.emplace(pointer, static_cast<SchemaIndex>(schemas_.size()));
  const SchemaIndex index = known->second;
  if (!added) {
    return index;
  }
  schemas_.emplace_back();
  if (schemas_.size() > kSchemasMax) {
    fault(pointer, fmt::format("more than {} schemas", kSchemasMax));
    return index;
  }
  if (++depth_ > kDepthMax) {
    fault(pointer, "schemas within schemas, too deep");
  } else if (const json::value* const value = look_up(pointer)) {
    fill(index, pointer, *value);
  }
  --depth_;
  return index;
}

void SchemaCompiler::fill(SchemaIndex index, const std::string& pointer, const json::value& value) {
  Schema made;
  const json::object* const object = value.if_object();
  if (value.is_bool()) {
    made.nothing = !value.get_bool();
  } else if (object == nullptr) {
    fault(pointer, "a schema is a mapping");
  } else {
    if (const json::value* const reference = object->if_contains("$ref")) {
      const std::string_view target = text_of(*reference);
      if (!target.starts_with("#/")) {
        fault(pointer, fmt::format("`$ref: {}` does not refer to this file (`#/…`)", target));
      } else if (look_up(target.substr(1)) == nullptr) {
        fault(pointer, fmt::format("`$ref: {}` refers to nothing", target));
      } else {
        made.all_of.push_back(compile(std::string(target.substr(1))));
      }
    }
    for (const json::key_value_pair& member : *object) {
      const std::string_view keyword(member.key().data(), member.key().size());
      if (keyword != "$ref") {
        read_keyword(made, pointer, keyword, member.value());
      }
    }
    const json::value* const nullable = object->if_contains("nullable");
    if (nullable != nullptr && nullable->is_bool() && nullable->get_bool()) {
      made.types = static_cast<uint8_t>(made.types | kNull);
      if (made.choices) {
        made.choices->emplace_back(nullptr);
      }
    }
    const json::value* const read_only = object->if_contains("readOnly");
    made.read_only = read_only != nullptr && read_only->is_bool() && read_only->get_bool();
  }
  std::sort(made.properties.begin(), made.properties.end(),
            [](const Property& a, const Property& b) { return a.name < b.name; });
  schemas_[index] = std::move(made);
}

void SchemaCompiler::read_keyword(Schema& to, const std::string& pointer, std::string_view keyword,
                                  const json::value& value) {
  const std::string at = pointer + "/" + escape_pointer(keyword);
  if (keyword == "nullable" || is_description(keyword) ||
      read_number_keyword(to, at, keyword, value) || read_size_keyword(to, at, keyword, value) ||
      read_list_keyword(to, at, keyword, value) || read_object_keyword(to, at, keyword, value)) {
    return;
  }
  if (keyword == "type") {
    read_type(to, at, value);
  } else if (keyword == "format") {
    to.format = format_named(text_of(value));
  } else if (keyword == "pattern") {
    to.pattern = read_pattern(at, value);
  } else if (keyword == "const") {
    to.choices.emplace().push_back(value);
  } else if (keyword == "enum") {
    const json::array* const list = value.if_array();
    if (list == nullptr || list->empty()) {
      fault(at, "`enum` is a list of values");
    } else {
      to.choices.emplace(list->begin(), list->end());
    }
  } else {
    const std::string_view meant = nearest(keyword, std::span<const std::string_view>(kKeywords));
    fault(at, meant.empty() ? fmt::format("`{}` is not supported", keyword)
                            : fmt::format("`{}` is not supported; is `{}` meant?", keyword, meant));
  }
}

void SchemaCompiler::read_type(Schema& to, const std::string& at, const json::value& value) {
  to.types = 0;
  const auto add = [&](const json::value& name) {
    const std::string_view wanted = text_of(name);
    const auto* const found = std::find_if(
        kTypes.begin(), kTypes.end(), [wanted](const auto& one) { return one.first == wanted; });
    if (found == kTypes.end()) {
      fault(at, fmt::format("`{}` is no type", wanted));
    } else {
      to.types = static_cast<uint8_t>(to.types | found->second);
    }
  };
  if (const json::array* const list = value.if_array()) {
    std::for_each(list->begin(), list->end(), add);
  } else {
    add(value);
  }
}

/// `exclusiveMinimum: true` beside `minimum` in 3.0, a number of its own in 3.1.
void SchemaCompiler::read_bound(Schema& to, const std::string& at, bool lower,
                                const json::value& value) {
  bool& outside = lower ? to.above_minimum : to.below_maximum;
  if (value.is_bool()) {
    outside = value.get_bool();
    return;
  }
  const std::optional<double> number = number_of(value);
  if (!number) {
    fault(at, "a number is expected");
    return;
  }
  (lower ? to.minimum : to.maximum) = number;
  outside = true;
}

bool SchemaCompiler::read_number_keyword(Schema& to, const std::string& at,
                                         std::string_view keyword, const json::value& value) {
  if (keyword == "exclusiveMinimum" || keyword == "exclusiveMaximum") {
    read_bound(to, at, keyword == "exclusiveMinimum", value);
    return true;
  }
  std::optional<double>* const target = keyword == "minimum"      ? &to.minimum
                                        : keyword == "maximum"    ? &to.maximum
                                        : keyword == "multipleOf" ? &to.multiple_of
                                                                  : nullptr;
  if (target == nullptr) {
    return false;
  }
  const std::optional<double> number = number_of(value);
  if (!number || (target == &to.multiple_of && *number <= 0)) {
    fault(at, "a number is expected");
  } else if (!*target) {  // an exclusive bound of its own stands
    *target = number;
  }
  return true;
}

bool SchemaCompiler::read_size_keyword(Schema& to, const std::string& at, std::string_view keyword,
                                       const json::value& value) {
  const std::array<std::pair<std::string_view, size_t*>, 6> sizes = {
      {{"minLength", &to.length_min},
       {"maxLength", &to.length_max},
       {"minItems", &to.items_min},
       {"maxItems", &to.items_max},
       {"minProperties", &to.properties_min},
       {"maxProperties", &to.properties_max}}};
  const auto* const found = std::find_if(
      sizes.begin(), sizes.end(), [keyword](const auto& one) { return one.first == keyword; });
  if (found == sizes.end()) {
    return false;
  }
  const std::optional<double> number = number_of(value);
  if (!number || *number < 0 || *number > 1e15 ||
      *number != static_cast<double>(static_cast<int64_t>(*number))) {
    fault(at, "a whole number is expected");
  } else {
    *found->second = static_cast<size_t>(*number);
  }
  return true;
}

bool SchemaCompiler::read_list_keyword(Schema& to, const std::string& at, std::string_view keyword,
                                       const json::value& value) {
  if (keyword == "items") {
    read_items(to, at, value);
  } else if (keyword == "prefixItems") {
    to.prefix_items = read_schemas(at, value);
  } else if (keyword == "uniqueItems") {
    to.unique_items = value.is_bool() && value.get_bool();
  } else if (keyword == "allOf") {
    const std::vector<SchemaIndex> all = read_schemas(at, value);
    to.all_of.insert(to.all_of.end(), all.begin(), all.end());
  } else if (keyword == "anyOf") {
    to.any_of = read_schemas(at, value);
  } else if (keyword == "oneOf") {
    to.one_of = read_schemas(at, value);
  } else if (keyword == "not") {
    to.not_schema = compile(at);
  } else {
    return false;
  }
  return true;
}

void SchemaCompiler::read_items(Schema& to, const std::string& at, const json::value& value) {
  if (value.is_array()) {
    fault(at, "`items` is one schema; write `prefixItems` for one each");
  } else {
    to.items = compile(at);
  }
}

bool SchemaCompiler::read_object_keyword(Schema& to, const std::string& at,
                                         std::string_view keyword, const json::value& value) {
  if (keyword == "properties") {
    read_properties(to, at, value);
  } else if (keyword == "patternProperties") {
    read_patterns(to, at, value);
  } else if (keyword == "additionalProperties") {
    if (!value.is_bool() || !value.get_bool()) {
      to.additional = compile(at);
    }
  } else if (keyword == "required") {
    to.required = read_texts(at, value);
  } else {
    return false;
  }
  return true;
}

void SchemaCompiler::read_properties(Schema& to, const std::string& at, const json::value& value) {
  const json::object* const object = value.if_object();
  if (object == nullptr) {
    fault(at, "a mapping of names and schemas is expected");
    return;
  }
  for (const json::key_value_pair& member : *object) {
    const std::string_view name(member.key().data(), member.key().size());
    to.properties.push_back(
        {.name = std::string(name), .schema = compile(at + "/" + escape_pointer(name))});
  }
}

void SchemaCompiler::read_patterns(Schema& to, const std::string& at, const json::value& value) {
  const json::object* const object = value.if_object();
  if (object == nullptr) {
    fault(at, "a mapping of patterns and schemas is expected");
    return;
  }
  for (const json::key_value_pair& member : *object) {
    const std::string_view name(member.key().data(), member.key().size());
    const std::string place = at + "/" + escape_pointer(name);
    to.pattern_properties.push_back(
        {.pattern = read_pattern(place, json::value(json::string_view(name.data(), name.size()))),
         .schema = compile(place)});
  }
}

/// RE2: in time that grows with the text alone. What it has not (back references, looking around)
/// is a fault.
std::shared_ptr<const re2::RE2> SchemaCompiler::read_pattern(const std::string& at,
                                                             const json::value& value) {
  if (!value.is_string()) {
    fault(at, "a regular expression is expected");
    return nullptr;
  }
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kPatternMemoryMax);
  const std::string_view text = text_of(value);
  auto made = std::make_shared<const re2::RE2>(re2::StringPiece(text.data(), text.size()), options);
  if (!made->ok()) {
    fault(at, fmt::format("the regular expression is not supported: {}", made->error()));
    return nullptr;
  }
  return made;
}

std::vector<SchemaIndex> SchemaCompiler::read_schemas(const std::string& at,
                                                      const json::value& value) {
  std::vector<SchemaIndex> made;
  const json::array* const list = value.if_array();
  if (list == nullptr || list->empty()) {
    fault(at, "a list of schemas is expected");
    return made;
  }
  for (size_t i = 0; i < list->size(); ++i) {
    made.push_back(compile(fmt::format("{}/{}", at, i)));
  }
  return made;
}

std::vector<std::string> SchemaCompiler::read_texts(const std::string& at,
                                                    const json::value& value) {
  std::vector<std::string> made;
  const json::array* const list = value.if_array();
  const bool good = list != nullptr && std::all_of(list->begin(), list->end(),
                                                   [](const auto& one) { return one.is_string(); });
  if (!good) {
    fault(at, "a list of names is expected");
    return made;
  }
  for (const json::value& one : *list) {
    made.emplace_back(text_of(one));
  }
  return made;
}

}  // namespace hangu::openapi
