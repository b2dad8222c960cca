#include "config/yaml_text.h"

#include <algorithm>

#include <fmt/format.h>

#include "hangu/base/letter_case.h"

#include "config/text.h"

namespace hangu::config {
namespace {

constexpr std::string_view kIndicators = "-?:,[]{}#&*!|>'\"%@`~<=";

/// As JSON writes it, which is YAML, too.
std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        out += is_control(c) ? fmt::format("\\x{:02x}", static_cast<unsigned char>(c))
                             : std::string(1, c);
    }
  }
  return out + '"';
}

/// Whether the text means itself without quotes wherever it stands.
bool is_plain(std::string_view text) {
  const bool number = text.size() > 1 && text[0] == '-' && is_digit(text[1]);
  return !text.empty() && (number || kIndicators.find(text[0]) == std::string_view::npos) &&
         text[0] != ' ' && text.back() != ' ' && text.back() != ':' &&
         text.find(": ") == std::string_view::npos && text.find(" #") == std::string_view::npos &&
         std::none_of(text.begin(), text.end(), is_control);
}

std::string scalar_text(const Node& node) {
  return node.is_quoted || !is_plain(node.text) ? in_quotes(node.text) : node.text;
}

bool is_block(const Node& node) {
  return !node.items.empty() || !node.entries.empty();
}

std::string inline_text(const Node& node) {
  switch (node.kind) {
    case Node::Kind::kNull: return "null";
    case Node::Kind::kScalar: return scalar_text(node);
    case Node::Kind::kSequence: return "[]";
    case Node::Kind::kMapping: return "{}";
  }
  return "";
}

void write(std::string& out, const Node& node, size_t indent, std::string_view without) {
  bool first = true;
  // The first line of what stands behind "- " is indented already.
  const auto begin_line = [&] {
    if (!first || out.empty() || out.back() == '\n') {
      out.append(indent, ' ');
    }
    first = false;
  };
  for (const Node::Entry& entry : node.entries) {
    if (entry.key == without) {
      continue;
    }
    begin_line();
    out +=
        is_plain(entry.key) && lower_case(entry.key) != "null" ? entry.key : in_quotes(entry.key);
    if (is_block(*entry.value)) {
      out += ":\n";
      write(out, *entry.value, indent + 2, {});
    } else {
      out += fmt::format(": {}\n", inline_text(*entry.value));
    }
  }
  for (const Node* item : node.items) {
    begin_line();
    out += "- ";
    if (is_block(*item)) {
      write(out, *item, indent + 2, {});
    } else {
      out += inline_text(*item) + "\n";
    }
  }
}

}  // namespace

std::string yaml_text(const Node& node, std::string_view without) {
  if (!is_block(node)) {
    return inline_text(node) + "\n";
  }
  std::string out;
  write(out, node, 0, without);
  return out.empty() ? "{}\n" : out;
}

}  // namespace hangu::config
