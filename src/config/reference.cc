#include "hangu/config/reference.h"

#include <fmt/format.h>

#include "hangu/config/diagnostic.h"

#include "config/schema.h"
#include "config/text.h"
#include "config/value.h"

namespace hangu::config {

namespace {

constexpr size_t kColumns = 100;

/// Visits every row of the table with the value it has by default.
template <class Visit>
void walk(const Type& type, const std::string& path, const void* defaults, const Visit& visit) {
  const Fields& fields = *type.fields();
  for (const Key& key : fields.keys()) {
    const std::string place = path + (path.empty() ? "" : ".") + std::string(key.row.name);
    const void* value = key.at(defaults);
    visit(place, key, value);
    if (key.type->fields() != nullptr) {
      walk(*key.type, place, value, visit);
    } else if (key.type->element() != nullptr && key.type->element()->fields() != nullptr) {
      walk(*key.type->element(), place + "[]", key.type->default_element(), visit);
    }
  }
}

/// Whether the key only groups others, and so is no row of its own.
bool is_group(const Key& key) {
  const bool is_list = key.type->element() != nullptr && key.type->element()->fields() != nullptr;
  return is_list || (key.type->fields() != nullptr && key.type->schema().empty());
}

Config default_config() {
  Config config;
  config.listeners.clear();
  return config;
}

std::string default_text(const Key& key, const void* value) {
  static const Config kDefault = default_config();
  return key.row.required ? "" : yaml_flow(key.type->to_value(kDefault, value));
}

// JSON Schema.

std::string schema_of(const Type& type, const void* defaults);

std::string key_schema(const Key& key, const void* value) {
  std::string out = fmt::format("\"description\":{}", json_string(key.row.documentation));
  if (!is_group(key) && !key.row.required) {
    static const Config kDefault = default_config();
    const Value text = key.type->to_value(kDefault, value);
    if (text.kind != Value::Kind::kNone) {
      Value default_value = text;
      const bool is_bare = text.kind == Value::Kind::kScalar &&
                           (text.text == "true" || text.text == "false" ||
                            text.text.find_first_not_of("0123456789") == std::string::npos);
      default_value.is_text = text.is_text || (text.kind == Value::Kind::kScalar && !is_bare);
      out += ",\"default\":" + json_value(default_value);
    }
  }
  return '{' + out + ',' + schema_of(*key.type, value) + '}';
}

std::string fields_schema(const Fields& fields, const void* defaults) {
  std::string properties;
  std::string required;
  for (const Key& key : fields.keys()) {
    properties += fmt::format("{}{}:{}", properties.empty() ? "" : ",", json_string(key.row.name),
                              key_schema(key, key.at(defaults)));
    if (key.row.required) {
      required += (required.empty() ? "" : ",") + json_string(key.row.name);
    }
  }
  return fmt::format("\"type\":\"object\",\"additionalProperties\":false,{}{}\"properties\":{{{}}}",
                     fields.top_level ? "\"patternProperties\":{\"^x-\":{}}," : "",
                     required.empty() ? "" : "\"required\":[" + required + "],", properties);
}

std::string schema_of(const Type& type, const void* defaults) {
  if (type.fields() != nullptr) {
    const std::string mapping = fields_schema(*type.fields(), defaults);
    const std::string other = type.schema();
    return other.empty() ? mapping : fmt::format("\"anyOf\":[{{{}}},{{{}}}]", other, mapping);
  }
  if (type.element() != nullptr) {
    return fmt::format("\"type\":\"array\",{}\"items\":{{{}}}",
                       type.limits() == "at least one" ? "\"minItems\":1," : "",
                       schema_of(*type.element(), type.default_element()));
  }
  return type.schema();
}

// Markdown.

std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    out += c == '|' ? std::string("\\|") : std::string(1, c);
  }
  return out;
}

std::string code(std::string_view text) {
  return text.empty() ? "" : fmt::format("`{}`", cell(text));
}

std::string top_key(const std::string& path) {
  return path.substr(0, path.find_first_of("[."));
}

/// The heading over a key's row: its top-level key when that has keys below it.
std::string section_of(const KeyInfo& key) {
  const std::string top = top_key(key.path);
  return top == key.path && top != "access_log" ? "Process" : top;
}

constexpr std::string_view kMarkdownHead = R"(# Configuration reference

Made from the table of keys in `src/config/schema.cc`; a test keeps the two equal. Change the
table, then run `make docs`.

One YAML file. `hangu check FILE` reads it the way the gateway does and prints every problem at
once; `hangu check --print FILE` prints it with all defaults filled in; `hangu schema` prints a JSON
Schema for editors; [config/reference.yaml](../config/reference.yaml) has every key and its default.

## Values

| Value | Written as |
|---|---|
| duration | a whole number and one unit: `250ms`, `10s`, `5m`, `2h`, `1d`; or `0` where allowed |
| size | bytes, or with `KiB`, `MiB`, `GiB` (1024) or `KB`, `MB`, `GB` (1000): `64KiB` |
| switch | `true` or `false`, `on` or `off` |
| address | `[::]:8080`, `127.0.0.1:8080`, `unix:/run/app.sock`; quote what begins with `[` |
| network | `10.0.0.0/8`, `2001:db8::/32`, or one address |

- **Variables.** `${NAME}` in a value is replaced from the environment; `${NAME:-default}` when it
  is unset or empty; `$${` is a literal `${`. An unset variable without a default is an error.
- **Secrets.** A header value may be `file:/run/secrets/name`: the contents of that file. Such
  values, those with variables, and those of credential-like fields are printed as `***` everywhere.
- **Anchors.** Aliases (`*name`) and merge keys (`<<: *name`) work. Top-level keys that begin with
  `x-` are ignored and can hold the anchors.
- **Reload** says when a change takes effect after `hangu reload`: *live* with the next request,
  *new connections* with the next connection, *restart* only when the process starts anew. No
  reload closes an established connection.

## Keys
)";

std::string key_row(const KeyInfo& key) {
  const std::string type = key.limits.empty() ? key.type : key.type + "; " + key.limits;
  const std::string default_cell = key.required ? "**required**" : code(key.default_text);
  return fmt::format("| `{}` | {} | {} | {} Example: {} | {} | {} |\n", key.path, cell(type),
                     default_cell, cell(key.documentation), code(key.example),
                     to_string(key.reload), key.since);
}

// Reference YAML.

void append_comment(std::string& out, size_t indent, std::string_view text) {
  std::string line;
  const auto flush = [&] {
    out.append(indent, ' ');
    out += "# " + line + '\n';
    line.clear();
  };
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find(' ', begin), text.size());
    const std::string_view word = text.substr(begin, end - begin);
    if (!line.empty() && indent + 3 + utf8_count(line) + utf8_count(word) > kColumns) {
      flush();
    }
    line += (line.empty() ? "" : " ") + std::string(word);
    begin = end + 1;
  }
  flush();
}

class ReferenceWriter {
 public:
  std::string take() { return std::move(out_); }

  void fields(const Type& type, const void* defaults, size_t indent) {
    for (const Key& key : type.fields()->keys()) {
      const std::string comment = comment_of(key);
      if (indent == 0) {
        out_ += '\n';
      }
      append_comment(out_, indent, comment);
      write_key(key, key.at(defaults), indent);
    }
  }

 private:
  static std::string comment_of(const Key& key) {
    std::string out(key.row.documentation);
    const std::string limits = key.type->limits();
    if (!is_group(key)) {
      out += fmt::format(" [{}{}{}; {}]", key.type->name(), limits.empty() ? "" : ": ", limits,
                         key.row.required ? std::string("required") : to_string(key.row.reload));
    }
    return out;
  }

  void write_key(const Key& key, const void* value, size_t indent) {
    const std::string name(key.row.name);
    const std::string margin(indent, ' ');
    if (key.type->fields() != nullptr && key.row.alternative) {
      ReferenceWriter apart;
      apart.out_ = margin + name + ":\n";
      apart.fields(*key.type, value, indent + 2);
      append_commented_out(apart.take(), indent);
    } else if (key.type->fields() != nullptr) {
      out_ += margin + name + ":\n";
      fields(*key.type, value, indent + 2);
    } else if (key.type->element() != nullptr && key.type->element()->fields() != nullptr) {
      ReferenceWriter apart;
      apart.out_ = margin + name + ":\n";
      apart.write_element(*key.type->element(), key.type->default_element(), indent + 2);
      if (key.row.alternative) {
        append_commented_out(apart.take(), indent);
      } else {
        out_ += apart.take();
      }
    } else if (key.row.alternative) {
      out_ += fmt::format("{}# {}: {}\n", margin, name, key.row.example);
    } else {
      const std::string text = default_text(key, value);
      out_ += fmt::format("{}{}: {}\n", margin, name, text.empty() ? key.row.example : text);
    }
  }

  /// Lines that begin at `indent`, each as a comment there.
  void append_commented_out(std::string_view lines, size_t indent) {
    while (!lines.empty()) {
      const size_t end = lines.find('\n');
      out_ += std::string(indent, ' ') + "# ";
      out_ += lines.substr(indent, end - indent + 1);
      lines.remove_prefix(end + 1);
    }
  }

  /// One element of a list: its fields, the first of them after the dash.
  void write_element(const Type& element, const void* defaults, size_t indent) {
    const Key& first = element.fields()->keys().front();
    append_comment(out_, indent, comment_of(first));
    out_ +=
        fmt::format("{}- {}: {}\n", std::string(indent, ' '), first.row.name, first.row.example);
    bool is_first = true;
    for (const Key& key : element.fields()->keys()) {
      if (!is_first) {
        append_comment(out_, indent + 2, comment_of(key));
        write_key(key, key.at(defaults), indent + 2);
      }
      is_first = false;
    }
  }

  std::string out_;
};

constexpr std::string_view kReferenceHead =
    R"(# yaml-language-server: $schema=./hangu.schema.json
#
# Every key with its default (an example where there is none), its limits and when a change takes
# effect. Made from the table of keys; see docs/config.md. Start from minimal.yaml rather than from
# this file.
)";

}  // namespace

std::vector<KeyInfo> config_keys() {
  std::vector<KeyInfo> out;
  static const Config kDefault = default_config();
  walk(root_type(), "", &kDefault,
       [&out](const std::string& path, const Key& key, const void* value) {
         if (is_group(key)) {
           return;
         }
         KeyInfo info;
         info.path = path;
         info.type = key.type->name();
         info.default_text = default_text(key, value);
         info.limits = key.type->limits();
         info.documentation = key.row.documentation;
         info.example = key.row.example;
         info.reload = key.row.reload;
         info.since = key.row.since;
         info.required = key.row.required;
         out.push_back(std::move(info));
       });
  return out;
}

std::string json_schema() {
  static const Config kDefault = default_config();
  const std::string out = fmt::format(
      "{{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\","
      "\"title\":\"hangu configuration\",{},\"$defs\":{{"
      "\"duration\":{{\"anyOf\":[{{\"type\":\"string\",\"pattern\":\"^([0-9]+(ms|s|m|h|d)|0)$\"}},"
      "{{\"const\":0}}]}},"
      "\"size\":{{\"anyOf\":[{{\"type\":\"string\",\"pattern\":\"^[0-9]+(B|KiB|MiB|GiB|KB|MB|GB)?$"
      "\"}},"
      "{{\"type\":\"integer\",\"minimum\":0}}]}},"
      "\"variable\":{{\"type\":\"string\",\"pattern\":\"\\\\$\\\\{{\"}}}}}}",
      schema_of(root_type(), &kDefault));
  return json_pretty(out);
}

std::string config_markdown() {
  std::string out(kMarkdownHead);
  std::string section;
  for (const KeyInfo& key : config_keys()) {
    if (section_of(key) != section) {
      section = section_of(key);
      out += fmt::format(
          "\n### {}\n\n| Key | Type | Default | What it does | Reload | Since |\n"
          "|---|---|---|---|---|---|\n",
          section);
    }
    out += key_row(key);
  }
  out +=
      "\n## Diagnostics\n\n`E` codes keep the config from being used, `W` codes only with "
      "`--strict`. "
      "`hangu explain CODE` prints\nthe same text.\n\n";
  for (const ErrorCode& known : error_codes()) {
    out += fmt::format("- **{}: {}.** {}\n", known.code, known.title, known.explanation);
  }
  return out;
}

std::string reference_yaml() {
  static const Config kDefault = default_config();
  ReferenceWriter writer;
  writer.fields(root_type(), &kDefault, 0);
  return std::string(kReferenceHead) + writer.take();
}

}  // namespace hangu::config
