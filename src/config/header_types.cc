#include "config/header_types.h"

#include <map>

#include <fmt/format.h>

#include "config/rules.h"
#include "config/text.h"

namespace hangu::config {

namespace {

constexpr std::string_view kFilePrefix = "file:";

Value field_value(const HeaderEdit::Field& field) {
  Value out = Value::string(field.value);
  out.is_secret = field.secret;
  return out;
}

void read_value(Reader& reader, const Node::Entry& entry, const Node& node,
                std::vector<HeaderEdit::Field>& out) {
  if (node.kind != Node::Kind::kScalar) {
    reader.error(node.mark, wrong_type("a header value", "\"text\"", node));
    return;
  }
  const std::optional<Scalar> scalar = reader.scalar(node);
  if (!scalar) {
    return;
  }
  HeaderEdit::Field field{entry.key, scalar->text, scalar->from_environment};
  if (field.value.rfind(kFilePrefix, 0) == 0) {
    std::optional<std::string> secret =
        reader.secret_file(node, std::string_view(field.value).substr(kFilePrefix.size()));
    if (!secret) {
      return;
    }
    field.value = std::move(*secret);
    field.secret = true;
  }
  if (std::optional<Problem> problem = check_header_value(field.value)) {
    reader.error(node.mark, std::move(*problem));
    return;
  }
  if (!field.secret && !field.value.empty() && looks_secret(entry.key)) {
    field.secret = true;
    reader.warning(node.mark, {"W0152",
                               fmt::format("the value of {} looks like a secret in plain text",
                                           quoted(entry.key)),
                               "refer to it: ${VARIABLE} or file:/run/secrets/name"});
  }
  out.push_back(std::move(field));
}

}  // namespace

std::string HeaderFieldsType::limits() const {
  return lists_ ? "a value, or a list of values" : "one value a field";
}

std::string HeaderFieldsType::schema() const {
  const std::string_view scalar = "\"type\":[\"string\",\"number\",\"boolean\"]";
  const std::string value =
      lists_ ? fmt::format("\"anyOf\":[{{{0}}},{{\"type\":\"array\",\"items\":{{{0}}}}}]", scalar)
             : std::string(scalar);
  return fmt::format(
      "\"type\":\"object\",\"propertyNames\":{{\"pattern\":{}}},"
      "\"additionalProperties\":{{{}}}",
      json_string(kHeaderNameRule.pattern), value);
}

void HeaderFieldsType::read(Reader& reader, const Node& node, void* out) const {
  if (node.kind != Node::Kind::kMapping && node.kind != Node::Kind::kNull) {
    reader.error(node.mark, wrong_type("a mapping of fields", "{x-gateway: hangu}", node));
    return;
  }
  auto& fields = *static_cast<std::vector<HeaderEdit::Field>*>(out);
  std::map<std::string, size_t> lines;
  for (const Node::Entry& entry : node.entries) {
    if (std::optional<Problem> problem = check_header_name(entry.key)) {
      reader.error(entry.mark, std::move(*problem));
      continue;
    }
    const auto [at, is_new] = lines.emplace(lower(entry.key), entry.mark.line);
    if (!is_new) {
      reader.error(entry.mark, {"E0104",
                                fmt::format("field {} was already given on line {}; names do "
                                            "not differ by case",
                                            quoted(entry.key), at->second),
                                ""});
      continue;
    }
    const Reader::Scope scope(reader, entry.key);
    read_field(reader, entry, fields);
  }
}

void HeaderFieldsType::read_field(Reader& reader, const Node::Entry& entry,
                                  std::vector<HeaderEdit::Field>& out) const {
  if (!lists_ || entry.value->kind != Node::Kind::kSequence) {
    read_value(reader, entry, *entry.value, out);
    return;
  }
  for (const Node* item : entry.value->items) {
    read_value(reader, entry, *item, out);
  }
}

Value HeaderFieldsType::to_value(const Config& /*config*/, const void* value) const {
  Value out;
  out.kind = Value::Kind::kMapping;
  for (const HeaderEdit::Field& field :
       *static_cast<const std::vector<HeaderEdit::Field>*>(value)) {
    if (!lists_ || out.entries.empty() || out.entries.back().first != field.name) {
      out.entries.emplace_back(field.name, field_value(field));
      continue;
    }
    Value& last = out.entries.back().second;
    if (last.kind != Value::Kind::kList) {
      Value list;
      list.kind = Value::Kind::kList;
      list.items.push_back(std::move(last));
      last = std::move(list);
    }
    last.items.push_back(field_value(field));
  }
  return out;
}

// --- what a request must have -----------------------------------------------------------------

std::string FieldMatchesType::schema() const {
  return "\"type\":\"object\",\"additionalProperties\":{\"type\":[\"string\",\"number\","
         "\"boolean\"]}";
}

void FieldMatchesType::read(Reader& reader, const Node& node, void* out) const {
  if (node.kind != Node::Kind::kMapping && node.kind != Node::Kind::kNull) {
    reader.error(node.mark, wrong_type("a mapping", "{x-version: v2}", node));
    return;
  }
  auto& fields = *static_cast<std::vector<FieldMatch>*>(out);
  fields.clear();
  for (const Node::Entry& entry : node.entries) {
    std::optional<Problem> problem;
    if (headers_) {
      problem = check_header_name(entry.key);
    }
    if (problem) {
      reader.error(entry.mark, std::move(*problem));
      continue;
    }
    const Reader::Scope scope(reader, entry.key);
    if (entry.value->kind != Node::Kind::kScalar) {
      reader.error(entry.value->mark, wrong_type("a value", "\"text\"", *entry.value));
      continue;
    }
    if (const std::optional<Scalar> scalar = reader.scalar(*entry.value)) {
      const bool any = scalar->text == "*";
      fields.push_back({.name = headers_ ? lower(entry.key) : entry.key,
                        .value = any ? std::string() : scalar->text,
                        .any = any});
    }
  }
}

Value FieldMatchesType::to_value(const Config& /*config*/, const void* value) const {
  Value out;
  out.kind = Value::Kind::kMapping;
  for (const FieldMatch& field : *static_cast<const std::vector<FieldMatch>*>(value)) {
    out.entries.emplace_back(field.name, Value::string(field.any ? "*" : field.value));
  }
  return out;
}

}  // namespace hangu::config
