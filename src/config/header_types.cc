#include "config/header_types.h"

#include <algorithm>
#include <array>
#include <map>

#include <fmt/format.h>

#include "hangu/base/letter_case.h"
#include "hangu/config/text_template.h"

#include "config/rules.h"
#include "config/scalar_types.h"
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
  HeaderEdit::Field field{.name = entry.key,
                          .value = scalar->text,
                          .secret = scalar->from_environment,
                          .literal = scalar->from_environment};
  if (field.value.rfind(kFilePrefix, 0) == 0) {
    std::optional<std::string> secret =
        reader.secret_file(node, std::string_view(field.value).substr(kFilePrefix.size()));
    if (!secret) {
      return;
    }
    field.value = std::move(*secret);
    field.secret = field.literal = true;
  }
  if (std::optional<Problem> problem = check_header_value(field.value)) {
    reader.error(node.mark, std::move(*problem));
    return;
  }
  if (!field.literal) {
    if (const auto parsed = TextTemplate::parse(field.value); !parsed) {
      reader.error(node.mark, {"E0163", parsed.error(), ""});
      return;
    }
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
    const auto [at, is_new] = lines.emplace(lower_case(entry.key), entry.mark.line);
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

namespace {

using Matcher = std::pair<std::string_view, ValueMatch>;

constexpr std::array<Matcher, 4> kMatchers = {{
    {"exact", ValueMatch::kExact},
    {"prefix", ValueMatch::kPrefix},
    {"regex", ValueMatch::kRegex},
    {"present", ValueMatch::kAny},
}};

/// `{prefix: v}`.
bool read_matcher(Reader& reader, const Node& node, FieldMatch& field) {
  const std::string_view wanted = "a value, `*`, or one of {exact: v}, {prefix: v}, {regex: v}";
  if (node.kind != Node::Kind::kMapping || node.entries.size() != 1) {
    reader.error(node.mark, wrong_type(wanted, "", node));
    return false;
  }
  const Node::Entry& entry = node.entries.front();
  const auto* const found =
      std::find_if(kMatchers.begin(), kMatchers.end(),
                   [&](const Matcher& each) { return each.first == entry.key; });
  if (found == kMatchers.end()) {
    std::vector<std::string_view> words;
    std::transform(kMatchers.begin(), kMatchers.end(), std::back_inserter(words),
                   [](const Matcher& each) { return each.first; });
    reader.error(entry.mark,
                 {"E0123", fmt::format("unknown key {} {}", quoted(entry.key), reader.in_where()),
                  did_you_mean(nearest(entry.key, words))});
    return false;
  }
  if (entry.value->kind != Node::Kind::kScalar) {
    reader.error(entry.value->mark, wrong_type("a value", "\"text\"", *entry.value));
    return false;
  }
  const std::optional<Scalar> scalar = reader.scalar(*entry.value);
  if (!scalar) {
    return false;
  }
  field.how = found->second;
  field.value = field.how == ValueMatch::kAny ? "" : scalar->text;
  std::optional<Problem> problem;
  if (field.how == ValueMatch::kRegex) {
    problem = kRegexRule.apply(field.value);
  } else if (field.how == ValueMatch::kAny && parse_switch(scalar->text) != true) {
    problem = {"E0116", "`present` is `true` or not there", ""};
  }
  if (problem) {
    reader.error(entry.value->mark, std::move(*problem));
  }
  return !problem;
}

bool read_wanted(Reader& reader, const Node& node, FieldMatch& field) {
  if (node.kind != Node::Kind::kScalar) {
    return read_matcher(reader, node, field);
  }
  const std::optional<Scalar> scalar = reader.scalar(node);
  if (!scalar) {
    return false;
  }
  field.how = scalar->text == "*" ? ValueMatch::kAny : ValueMatch::kExact;
  field.value = field.how == ValueMatch::kAny ? "" : scalar->text;
  return true;
}

}  // namespace

std::string FieldMatchesType::schema() const {
  return "\"type\":\"object\",\"additionalProperties\":{\"anyOf\":[{\"type\":[\"string\","
         "\"number\",\"boolean\"]},{\"type\":\"object\",\"maxProperties\":1,\"minProperties\":1,"
         "\"additionalProperties\":false,\"properties\":{\"exact\":{},\"prefix\":{},\"regex\":{},"
         "\"present\":{}}}]}";
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
    FieldMatch field{.name = headers_ ? lower_case(entry.key) : entry.key, .value = {}};
    if (read_wanted(reader, *entry.value, field)) {
      fields.push_back(std::move(field));
    }
  }
}

Value FieldMatchesType::to_value(const Config& /*config*/, const void* value) const {
  Value out;
  out.kind = Value::Kind::kMapping;
  for (const FieldMatch& field : *static_cast<const std::vector<FieldMatch>*>(value)) {
    Value wanted = Value::string(field.how == ValueMatch::kAny ? "*" : field.value);
    const bool looks_like_any = field.how == ValueMatch::kExact && field.value == "*";
    if (field.how == ValueMatch::kPrefix || field.how == ValueMatch::kRegex || looks_like_any) {
      const auto* const found =
          std::find_if(kMatchers.begin(), kMatchers.end(),
                       [&](const Matcher& each) { return each.second == field.how; });
      Value mapping;
      mapping.kind = Value::Kind::kMapping;
      mapping.entries.emplace_back(found->first, std::move(wanted));
      wanted = std::move(mapping);
    }
    out.entries.emplace_back(field.name, std::move(wanted));
  }
  return out;
}

}  // namespace hangu::config
