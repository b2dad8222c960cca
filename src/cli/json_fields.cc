#include "cli/json_fields.h"

#include <algorithm>

namespace hangu::cli {
namespace {

namespace json = boost::json;

}  // namespace

json::object object_from(std::string_view text) {
  boost::system::error_code error;
  json::value value = json::parse(json::string_view(text.data(), text.size()), error);
  return !error && value.is_object() ? std::move(value.as_object()) : json::object{};
}

std::string text_of(const json::value& value) {
  return value.is_string() ? std::string(std::string_view(value.get_string()))
                           : json::serialize(value);
}

std::string text_field(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value == nullptr || value->is_null() ? std::string() : text_of(*value);
}

int64_t signed_field(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr || !value->is_number()) {
    return 0;
  }
  boost::system::error_code error;
  const auto number = value->to_number<int64_t>(error);
  return error ? 0 : number;
}

uint64_t number_field(const json::object& object, std::string_view key) {
  return static_cast<uint64_t>(std::max<int64_t>(signed_field(object, key), 0));
}

bool flag_field(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_bool() && value->get_bool();
}

json::array array_field(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_array() ? value->get_array() : json::array{};
}

std::vector<std::string> texts_field(const json::object& object, std::string_view key) {
  std::vector<std::string> all;
  for (const json::value& each : array_field(object, key)) {
    all.push_back(text_of(each));
  }
  return all;
}

std::vector<json::object> objects_field(const json::object& object, std::string_view key) {
  std::vector<json::object> all;
  for (const json::value& each : array_field(object, key)) {
    if (each.is_object()) {
      all.push_back(each.get_object());
    }
  }
  return all;
}

json::object object_field(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_object() ? value->get_object() : json::object{};
}

std::vector<config::Diagnostic> diagnostics_from(const json::array& list) {
  std::vector<config::Diagnostic> all;
  for (const json::value& each : list) {
    if (!each.is_object()) {
      continue;
    }
    const json::object& object = each.get_object();
    config::Diagnostic diagnostic;
    diagnostic.severity = text_field(object, "severity") == "warning" ? config::Severity::kWarning
                                                                      : config::Severity::kError;
    diagnostic.code = text_field(object, "code");
    diagnostic.file = text_field(object, "file");
    diagnostic.line = static_cast<uint32_t>(number_field(object, "line"));
    diagnostic.column = static_cast<uint32_t>(number_field(object, "column"));
    diagnostic.message = text_field(object, "message");
    diagnostic.snippet = text_field(object, "snippet");
    diagnostic.suggestion = text_field(object, "suggestion");
    all.push_back(std::move(diagnostic));
  }
  return all;
}

}  // namespace hangu::cli
