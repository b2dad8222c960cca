#include "config/plugin_config_type.h"

#include <fmt/format.h>

#include "hangu/base/json_pointer.h"

#include "config/source_text.h"
#include "config/text.h"

namespace hangu::config {
namespace {

constexpr size_t kJsonBytesMax = 64 * 1024;
constexpr std::string_view kFilePrefix = "file:/";

/// Writes the JSON twice: as it is, and for eyes.
class Writer {
 public:
  Writer(Reader& reader, PluginConfig& out)
      : reader_(reader),
        out_(out) {}

  void value(const Node& node, const std::string& pointer, std::string_view key) {
    out_.places.push_back({.pointer = pointer, .place = place_of(node.mark)});
    switch (node.kind) {
      case Node::Kind::kNull: put("null"); return;
      case Node::Kind::kScalar: scalar(node, key); return;
      case Node::Kind::kSequence: sequence(node, pointer, key); return;
      case Node::Kind::kMapping: mapping(node, pointer); return;
    }
  }

 private:
  void put(std::string_view text) {
    out_.json += text;
    out_.masked += text;
  }

  void scalar(const Node& node, std::string_view key) {
    const std::optional<Scalar> read = reader_.scalar(node);
    if (!read) {
      return;
    }
    std::string text = read->text;
    const bool in_file = text.starts_with(kFilePrefix);
    if (in_file) {
      std::optional<std::string> secret =
          reader_.secret_file(node, std::string_view(text).substr(kFilePrefix.size() - 1));
      if (!secret) {
        return;
      }
      text = std::move(*secret);
    }
    const bool plain = !node.is_quoted && !in_file;
    const bool typed = plain && (text == "true" || text == "false" || is_json_number(text));
    const std::string json = typed ? text : plain && text == "null" ? "null" : json_string(text);
    const bool bare_secret =
        !typed && !in_file && !read->from_environment && !text.empty() && looks_secret(key);
    if (bare_secret) {
      reader_.warning(
          node.mark,
          {"W0152", fmt::format("the value of {} looks like a secret in plain text", quoted(key)),
           "refer to it: ${VARIABLE} or file:/run/secrets/name"});
    }
    out_.json += json;
    out_.masked += in_file || read->from_environment || bare_secret ? "\"***\"" : json;
  }

  void sequence(const Node& node, const std::string& pointer, std::string_view key) {
    put("[");
    for (size_t i = 0; i < node.items.size(); ++i) {
      put(i == 0 ? "" : ", ");
      value(*node.items[i], fmt::format("{}/{}", pointer, i), key);
    }
    put("]");
  }

  void mapping(const Node& node, const std::string& pointer) {
    put("{");
    for (size_t i = 0; i < node.entries.size(); ++i) {
      const Node::Entry& entry = node.entries[i];
      put((i == 0 ? "" : ", ") + json_string(entry.key) + ": ");
      value(*entry.value, pointer + "/" + escape_pointer(entry.key), entry.key);
    }
    put("}");
  }

  Reader& reader_;
  PluginConfig& out_;
};

}  // namespace

SourcePlace place_of(Mark mark) {
  return {.line = static_cast<uint32_t>(mark.line), .column = static_cast<uint32_t>(mark.column)};
}

void PluginConfigType::read(Reader& reader, const Node& node, void* out) const {
  if (node.kind != Node::Kind::kMapping) {
    reader.error(node.mark, wrong_type("a mapping", "{header: x-stamp}", node));
    return;
  }
  auto& config = *static_cast<PluginConfig*>(out);
  config.places.clear();
  config.json.clear();
  config.masked.clear();
  Writer(reader, config).value(node, "", "");
  if (config.json.size() > kJsonBytesMax) {
    reader.error(node.mark, {"E0115",
                             fmt::format("the config of a plugin is {} bytes as JSON: at most {}",
                                         config.json.size(), kJsonBytesMax),
                             ""});
  }
}

Value PluginConfigType::to_value(const Config& /*config*/, const void* value) const {
  const auto& config = *static_cast<const PluginConfig*>(value);
  return config.masked == "{}" ? Value{} : Value::scalar(config.masked);  // JSON is YAML
}

}  // namespace hangu::config
