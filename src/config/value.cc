#include "config/value.h"

#include <algorithm>

#include "config/text.h"

namespace hangu::config {

namespace {

bool is_flow(const Value& value) {
  if (value.kind == Value::Kind::kMapping) {
    return value.entries.empty();
  }
  return value.kind != Value::Kind::kList ||
         std::all_of(value.items.begin(), value.items.end(),
                     [](const Value& item) { return item.kind == Value::Kind::kScalar; });
}

std::string escape_variables(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size(); ++at) {
    out += text.substr(at, 2) == "${" ? "$$" : text.substr(at, 1);
  }
  return out;
}

void entries_block(const Value& value, size_t indent, bool first_inline, std::string& out) {
  for (const auto& [key, inner] : value.entries) {
    if (inner.kind == Value::Kind::kNone) {
      continue;
    }
    out.append(first_inline ? 0 : indent, ' ');
    first_inline = false;
    out += yaml_scalar(key) + ':';
    if (is_flow(inner)) {
      out += ' ' + yaml_flow(inner) + '\n';
    } else {
      out += '\n';
      yaml_block(inner, indent + 2, out);
    }
  }
}

}  // namespace

std::string yaml_flow(const Value& value) {
  std::string out;
  switch (value.kind) {
    case Value::Kind::kNone: break;
    case Value::Kind::kScalar:
      if (value.is_secret) {
        return "\"***\"";
      }
      return value.is_text ? yaml_scalar(escape_variables(value.text)) : value.text;
    case Value::Kind::kList:
      for (const Value& item : value.items) {
        out += (out.empty() ? "" : ", ") + yaml_flow(item);
      }
      return '[' + out + ']';
    case Value::Kind::kMapping:
      for (const auto& [key, inner] : value.entries) {
        if (inner.kind != Value::Kind::kNone) {
          out += (out.empty() ? "" : ", ") + yaml_scalar(key) + ": " + yaml_flow(inner);
        }
      }
      return '{' + out + '}';
  }
  return out;
}

void yaml_block(const Value& value, size_t indent, std::string& out) {
  if (value.kind == Value::Kind::kMapping) {
    entries_block(value, indent, false, out);
    return;
  }
  for (const Value& item : value.items) {
    out.append(indent, ' ');
    out += "- ";
    if (is_flow(item)) {
      out += yaml_flow(item) + '\n';
    } else {
      entries_block(item, indent + 2, true, out);
    }
  }
}

std::string json_value(const Value& value) {
  std::string out;
  switch (value.kind) {
    case Value::Kind::kNone: return "null";
    case Value::Kind::kScalar: return value.is_text ? json_string(value.text) : value.text;
    case Value::Kind::kList:
      for (const Value& item : value.items) {
        out += (out.empty() ? "" : ",") + json_value(item);
      }
      return '[' + out + ']';
    case Value::Kind::kMapping:
      for (const auto& [key, inner] : value.entries) {
        out += (out.empty() ? "" : ",") + json_string(key) + ':' + json_value(inner);
      }
      return '{' + out + '}';
  }
  return out;
}

}  // namespace hangu::config
