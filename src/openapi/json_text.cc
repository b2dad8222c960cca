#include "openapi/json_text.h"

#include <utility>

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value_stack.hpp>

namespace hangu::openapi {
namespace {

namespace json = boost::json;

/// Builds the value, and counts the members that objects have been given.
class Builder {
 public:
  // NOLINTBEGIN: names that Boost asks for
  static constexpr size_t max_object_size = size_t{1} << 20;
  static constexpr size_t max_array_size = size_t{1} << 24;
  static constexpr size_t max_key_size = size_t{1} << 16;
  static constexpr size_t max_string_size = size_t{1} << 26;

  // NOLINTEND

  explicit Builder(json::storage_ptr memory) { stack.reset(std::move(memory)); }

  json::value_stack stack;
  size_t members = 0;

  bool on_document_begin(json::error_code&) { return true; }

  bool on_document_end(json::error_code&) { return true; }

  bool on_object_begin(json::error_code&) { return true; }

  bool on_object_end(size_t count, json::error_code&) {
    members += count;
    stack.push_object(count);
    return true;
  }

  bool on_array_begin(json::error_code&) { return true; }

  bool on_array_end(size_t count, json::error_code&) {
    stack.push_array(count);
    return true;
  }

  bool on_key_part(json::string_view part, size_t, json::error_code&) {
    stack.push_chars(part);
    return true;
  }

  bool on_key(json::string_view part, size_t, json::error_code&) {
    stack.push_key(part);
    return true;
  }

  bool on_string_part(json::string_view part, size_t, json::error_code&) {
    stack.push_chars(part);
    return true;
  }

  bool on_string(json::string_view part, size_t, json::error_code&) {
    stack.push_string(part);
    return true;
  }

  bool on_number_part(json::string_view, json::error_code&) { return true; }

  bool on_int64(int64_t value, json::string_view, json::error_code&) {
    stack.push_int64(value);
    return true;
  }

  bool on_uint64(uint64_t value, json::string_view, json::error_code&) {
    stack.push_uint64(value);
    return true;
  }

  bool on_double(double value, json::string_view, json::error_code&) {
    stack.push_double(value);
    return true;
  }

  bool on_bool(bool value, json::error_code&) {
    stack.push_bool(value);
    return true;
  }

  bool on_null(json::error_code&) {
    stack.push_null();
    return true;
  }

  bool on_comment_part(json::string_view, json::error_code&) { return true; }

  bool on_comment(json::string_view, json::error_code&) { return true; }
};

size_t members_of(const json::value& value) {
  size_t count = 0;
  if (const json::object* const object = value.if_object()) {
    count = object->size();
    for (const json::key_value_pair& member : *object) {
      count += members_of(member.value());
    }
  } else if (const json::array* const array = value.if_array()) {
    for (const json::value& item : *array) {
      count += members_of(item);
    }
  }
  return count;
}

}  // namespace

Result<json::value, std::string> parse_json(std::string_view text, json::storage_ptr memory) {
  json::parse_options options;
  options.max_depth = kJsonDepthMax;
  json::basic_parser<Builder> parser(options, std::move(memory));
  json::error_code error;
  const size_t taken = parser.write_some(false, text.data(), text.size(), error);
  if (error) {
    return Failure<std::string>{error == json::error::too_deep ? "JSON of at most 64 levels"
                                                               : "JSON: " + error.message()};
  }
  if (taken != text.size()) {
    return Failure<std::string>{std::string("JSON: one value and nothing behind it")};
  }
  json::value value = parser.handler().stack.release();
  // Of members with one name the last one is kept.
  if (members_of(value) != parser.handler().members) {
    return Failure<std::string>{std::string("JSON: no name twice in one object")};
  }
  return value;
}

}  // namespace hangu::openapi
