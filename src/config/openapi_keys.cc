// The keys of `openapi` of a route. See schema.cc.
#include "config/openapi_keys.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "hangu/base/json_pointer.h"

#include "config/file_path.h"
#include "config/keys.h"
#include "config/rules.h"
#include "config/text.h"
#include "config/yaml_tree.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace hangu::config {
namespace {

constexpr size_t kDescriptionBytesMax = 8UL * 1024 * 1024;

/// A YAML tree as JSON text, and the line on which each value stands, by its pointer.
class JsonWriter {
 public:
  void write(const Node& node, const std::string& pointer) {
    lines_.emplace(pointer, node.mark.line);
    switch (node.kind) {
      case Node::Kind::kNull: out_ += "null"; break;
      case Node::Kind::kScalar: write_scalar(node); break;
      case Node::Kind::kSequence: write_list(node, pointer); break;
      case Node::Kind::kMapping: write_mapping(node, pointer); break;
    }
  }

  const std::string& text() const { return out_; }

  /// Of the nearest value around what a pointer names.
  size_t line_of(std::string pointer) const {
    for (;;) {
      if (const auto found = lines_.find(pointer); found != lines_.end()) {
        return found->second;
      }
      const size_t slash = pointer.rfind('/');
      if (slash == std::string::npos) {
        return 0;
      }
      pointer.resize(slash);
    }
  }

 private:
  void write_text(std::string_view text) {
    out_ += '"';
    for (const char c : text) {
      if (c == '"' || c == '\\') {
        out_ += '\\';
        out_ += c;
      } else if (static_cast<unsigned char>(c) < ' ') {
        out_ += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
      } else {
        out_ += c;
      }
    }
    out_ += '"';
  }

  void write_scalar(const Node& node) {
    const bool plain = !node.is_quoted;
    if (plain && (node.text == "true" || node.text == "false" || is_json_number(node.text))) {
      out_ += node.text;
    } else if (plain && (node.text == "null" || node.text == "~" || node.text.empty())) {
      out_ += "null";
    } else {
      write_text(node.text);
    }
  }

  void write_list(const Node& node, const std::string& pointer) {
    out_ += '[';
    for (size_t i = 0; i < node.items.size(); ++i) {
      out_ += i == 0 ? "" : ",";
      write(*node.items[i], fmt::format("{}/{}", pointer, i));
    }
    out_ += ']';
  }

  void write_mapping(const Node& node, const std::string& pointer) {
    out_ += '{';
    for (size_t i = 0; i < node.entries.size(); ++i) {
      const Node::Entry& entry = node.entries[i];
      out_ += i == 0 ? "" : ",";
      write_text(entry.key);
      out_ += ':';
      const std::string below = pointer + "/" + escape_pointer(entry.key);
      write(*entry.value, below);
      lines_[below] = entry.mark.line;  // where its name stands
    }
    out_ += '}';
  }

  std::string out_;
  std::map<std::string, size_t> lines_;
};

std::string_view line_at(std::string_view text, size_t number) {
  for (size_t at = 1; at < number && !text.empty(); ++at) {
    text.remove_prefix(std::min(text.find('\n') + 1, text.size()));
  }
  return text.substr(0, text.find('\n'));
}

std::shared_ptr<const openapi::Document> compile(Reader& reader, const std::string& path,
                                                 const std::string& text) {
  std::vector<YamlProblem> problems;
  const YamlDocument yaml = parse_yaml(text, problems);
  for (const YamlProblem& problem : problems) {
    reader.error_in(
        {.path = path, .line = problem.mark.line, .text = line_at(text, problem.mark.line)},
        {"E0146", problem.message, problem.suggestion});
  }
  if (yaml.root == nullptr || !problems.empty()) {
    return nullptr;
  }
  JsonWriter json;
  json.write(*yaml.root, "");
  const auto made = openapi::Document::compile(json.text());
  if (made) {
    return *made;
  }
  for (const openapi::Fault& fault : made.error()) {
    const size_t line = json.line_of(fault.pointer);
    reader.error_in({.path = path, .line = line, .text = line_at(text, line)},
                    {"E0146", fault.message,
                     fault.pointer.empty() ? "" : fmt::format("at `#{}`", fault.pointer)});
  }
  return nullptr;
}

std::optional<Problem> apply_base_path(std::string& text) {
  while (text.size() > 1 && text.ends_with('/')) {
    text.pop_back();
  }
  return text.starts_with('/') ? std::nullopt
                               : std::optional(Problem{"E0122", "a path begins with `/`", ""});
}

const TextRule kBasePathRule = {"path", "/v1", "begins with `/`", "^/", &apply_base_path};

}  // namespace

void OpenApiFileType::read(Reader& reader, const Node& node, void* out) const {
  std::optional<std::string> path = read_absolute_path(reader, node, "E0135");
  if (!path) {
    return;
  }
  OpenApiFile file;
  file.path = std::move(*path);
  if (const OpenApiFile* const known = reader.openapi_file(file.path)) {
    *static_cast<OpenApiFile*>(out) = *known;
    return;
  }
  const std::optional<std::string> text =
      reader.file_contents(node, file.path, kDescriptionBytesMax);
  if (!text) {
    static_cast<OpenApiFile*>(out)->path = file.path;
    return;
  }
  file.document = compile(reader, file.path, *text);
  const XXH128_hash_t hash = XXH3_128bits(text->data(), text->size());
  file.hash = {hash.low64, hash.high64};
  reader.remember(file);
  *static_cast<OpenApiFile*>(out) = std::move(file);
}

Value OpenApiFileType::to_value(const Config& /*config*/, const void* value) const {
  const std::string& path = static_cast<const OpenApiFile*>(value)->path;
  return path.empty() ? Value{} : Value::string(path);
}

TypePtr<OpenApi> openapi_keys() {
  const auto deny_or_pass = [] { return choice<bool>({{"deny", false}, {"pass", true}}); };
  auto type = switched<OpenApi>("{file: /etc/hangu/users.yaml}");
  type->mapping()
      .key<&OpenApi::file>(std::make_unique<OpenApiFileType>(),
                           {.name = "file",
                            .documentation = "The description. What of it cannot be checked is an "
                                             "error; see docs/traffic.md.",
                            .example = "/etc/hangu/users.yaml",
                            .required = true,
                            .alternative = true})
      .key<&OpenApi::mode>(
          mode(), {.name = "mode", .documentation = kModeDocumentation, .example = "shadow"})
      .key<&OpenApi::base_path>(
          text(kBasePathRule, {.empty_word = "described"}),
          {.name = "base_path",
           .documentation = "What stands before the paths that are described; else the path of "
                            "the first of `servers`.",
           .example = "/v1"})
      .key<&OpenApi::pass_unknown>(
          deny_or_pass(), {.name = "unknown",
                           .documentation = "Paths and methods that are not described: 404 and "
                                            "405, or unchecked.",
                           .example = "pass"})
      .key<&OpenApi::body_bytes_max>(
          size<uint64_t>({1, 16 * kMiB}),
          {.name = "body_max",
           .documentation = "Largest body that is held back to be checked.",
           .example = "64KiB"})
      .key<&OpenApi::pass_large>(deny_or_pass(),
                                 {.name = "too_large",
                                  .documentation = "Larger ones: 413, or unchecked.",
                                  .example = "pass"})
      .key<&OpenApi::errors_max>(number<uint32_t>({1, 100}),
                                 {.name = "errors_max",
                                  .documentation = "How much of what is wrong is told.",
                                  .example = "1"});
  return type;
}

}  // namespace hangu::config
