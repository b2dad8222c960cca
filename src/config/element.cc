#include "hangu/config/element.h"

#include <algorithm>
#include <deque>
#include <map>

#include <fmt/format.h>

#include "config/assembly_nodes.h"
#include "config/schema.h"
#include "config/shown_element.h"
#include "config/source_text.h"
#include "config/text.h"
#include "config/type.h"
#include "config/yaml_text.h"

namespace hangu::config {
namespace {

void collect(const Value& value, std::set<std::string>& out) {
  if (value.is_secret && !value.text.empty()) {
    out.insert(value.text);
  }
  for (const Value& item : value.items) {
    collect(item, out);
  }
  for (const auto& [key, entry] : value.entries) {
    collect(entry, out);
  }
}

bool is_reference(std::string_view text) {
  return text.find("${") != std::string_view::npos || text.starts_with("file:");
}

/// A scalar as the reader of configs takes it.
std::string unescaped(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size(); ++at) {
    at += text.substr(at, 3) == "$${" ? 1 : 0;
    out += text[at];
  }
  return out;
}

/// Copies a tree, with masks in the place of secrets.
class Masking {
 public:
  explicit Masking(const Secrets& secrets)
      : secrets_(secrets) {}

  const Node& copy(const Node& node, std::string_view key, bool by_name) {
    Node& out = nodes_.emplace_back(node);
    if (node.kind == Node::Kind::kScalar && is_secret(node, key, by_name)) {
      out.text = kMask;
      out.is_quoted = true;
    }
    for (Node::Entry& entry : out.entries) {
      // What a plugin is told has no table of keys.
      entry.value = &copy(*entry.value, entry.key, by_name || entry.key == "config");
    }
    for (const Node*& item : out.items) {
      item = &copy(*item, key, by_name);
    }
    return out;
  }

 private:
  bool is_secret(const Node& node, std::string_view key, bool by_name) const {
    return !node.text.empty() && !is_reference(node.text) &&
           (secrets_.texts.contains(node.text) || secrets_.texts.contains(unescaped(node.text)) ||
            (by_name && looks_secret(key)));
  }

  const Secrets& secrets_;
  std::deque<Node> nodes_;
};

std::string json_text(const Node& node, std::string_view without = {}) {
  std::string out;
  switch (node.kind) {
    case Node::Kind::kNull: return "null";
    case Node::Kind::kScalar: {
      const bool typed = !node.is_quoted &&
                         (node.text == "true" || node.text == "false" || is_json_number(node.text));
      return typed ? node.text : json_string(node.text);
    }
    case Node::Kind::kSequence:
      for (const Node* item : node.items) {
        out += (out.empty() ? "" : ",") + json_text(*item);
      }
      return '[' + out + ']';
    case Node::Kind::kMapping:
      for (const Node::Entry& entry : node.entries) {
        if (entry.key != without) {
          out += (out.empty() ? "" : ",") + json_string(entry.key) + ':' + json_text(*entry.value);
        }
      }
      return '{' + out + '}';
  }
  return out;
}

void find_masks(const Node& node, const std::string& path, std::vector<Diagnostic>& out) {
  if (node.kind == Node::Kind::kScalar && node.text == kMask) {
    Diagnostic diagnostic;
    diagnostic.code = "E0179";
    diagnostic.line = static_cast<uint32_t>(node.mark.line);
    diagnostic.column = static_cast<uint32_t>(node.mark.column);
    diagnostic.message = fmt::format("{} is the mask of a secret, not the secret", path);
    diagnostic.suggestion = "write the secret, or refer to it: ${VARIABLE} or file:/path";
    diagnostic.path = path;
    out.push_back(std::move(diagnostic));
  }
  for (const Node::Entry& entry : node.entries) {
    find_masks(*entry.value, path + '.' + entry.key, out);
  }
  for (size_t i = 0; i < node.items.size(); ++i) {
    find_masks(*node.items[i], fmt::format("{}[{}]", path, i), out);
  }
}

/// The texts of a document's values, by their keys.
std::map<std::string, std::string> values_of(const std::optional<std::string>& text) {
  std::map<std::string, std::string> out;
  std::vector<YamlProblem> ignored;
  const YamlDocument document = parse_yaml(text.value_or(""), ignored);
  if (document.root != nullptr) {
    for (const Node::Entry& entry : document.root->entries) {
      out[entry.key] = yaml_text(*entry.value);
    }
  }
  return out;
}

/// `sent`: it is part of a field or a response.
bool discloses(const Node& node, std::string_view key, bool sent) {
  const bool within = sent || key == "respond" || key.find("header") != std::string_view::npos;
  if (node.kind == Node::Kind::kScalar) {
    const bool file = node.text.starts_with("file:");
    return within ? file || key == "file" || node.text.find("${") != std::string::npos
                  : file && !looks_secret(key) && key != "cache_key";
  }
  return std::any_of(node.items.begin(), node.items.end(),
                     [&](const Node* item) { return discloses(*item, key, within); }) ||
         std::any_of(node.entries.begin(), node.entries.end(), [&](const Node::Entry& entry) {
           return discloses(*entry.value, entry.key, within);
         });
}

}  // namespace

std::set<std::string> secrets_of(const Config& config, std::string_view key) {
  std::set<std::string> out;
  for (const Key& row : root_type().fields()->keys()) {
    const void* element = row.row.name == list_of(key) && row.type->element() != nullptr
                              ? row.type->find_element(row.at(&config), name_in(key))
                              : nullptr;
    if (element != nullptr) {
      collect(row.type->element()->to_value(config, element), out);
    }
  }
  return out;
}

void show(const Node& node, const Secrets& secrets, Element& out) {
  Masking masking(secrets);
  const Node& masked = masking.copy(node, "", secrets.by_name);
  out.yaml = yaml_text(masked, "name");
  out.json = json_text(masked, "name");
}

std::vector<Diagnostic> masked_places(std::string_view key, std::string_view text) {
  std::vector<Diagnostic> out;
  std::vector<YamlProblem> ignored;  // others report them
  const YamlDocument document = parse_yaml(text, ignored);
  if (document.root != nullptr) {
    find_masks(*document.root, std::string(key), out);
  }
  const SourceText source(text);
  for (Diagnostic& each : out) {
    each.file = key;
    each.snippet = source.snippet(each.line);
    each.column = source.column({each.line, each.column});
  }
  return out;
}

std::vector<std::string> disclosing_keys(const std::optional<std::string>& text) {
  std::vector<std::string> out;
  std::vector<YamlProblem> ignored;
  const YamlDocument document = parse_yaml(text.value_or(""), ignored);
  if (document.root != nullptr) {
    for (const Node::Entry& entry : document.root->entries) {
      if (discloses(*entry.value, entry.key, /*sent=*/false)) {
        out.push_back(entry.key);
      }
    }
  }
  return out;
}

std::vector<std::string> differing_keys(const std::optional<std::string>& before,
                                        const std::optional<std::string>& after) {
  std::map<std::string, std::string> old = values_of(before);
  std::vector<std::string> out;
  for (auto& [key, value] : values_of(after)) {
    const auto found = old.find(key);
    if (found == old.end() || found->second != value) {
      out.push_back(key);
    }
    if (found != old.end()) {
      old.erase(found);
    }
  }
  for (const auto& [key, value] : old) {
    out.push_back(key);
  }
  std::erase(out, "name");
  return out;
}

}  // namespace hangu::config
