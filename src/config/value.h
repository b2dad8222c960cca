// Value: a config as plain data for printing and comparing: scalars, lists, mappings, in order.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace hangu::config {

struct Value {
  enum class Kind { kNone, kScalar, kList, kMapping };

  Kind kind = Kind::kNone;  // kNone: not given, is not printed
  std::string text;         // of a scalar
  bool is_text = false;     // a string: quoted in JSON, and in YAML where needed
  bool is_secret = false;   // printed as "***"
  std::vector<Value> items;
  std::vector<std::pair<std::string, Value>> entries;

  static Value scalar(std::string text) {
    return {Kind::kScalar, std::move(text), false, false, {}, {}};
  }

  static Value string(std::string text) {
    return {Kind::kScalar, std::move(text), true, false, {}, {}};
  }

  bool operator==(const Value&) const = default;
};

/// A scalar as written in YAML, "***" for a secret; lists and mappings in flow style.
std::string yaml_flow(const Value& value);

/// Block style, `indent` spaces deep, each line ended. Lists of scalars are in flow style.
void yaml_block(const Value& value, size_t indent, std::string& out);

/// As JSON text.
std::string json_value(const Value& value);

}  // namespace hangu::config
