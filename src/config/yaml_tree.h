// A YAML document as our own tree: every node and key knows its line and column, duplicate keys
// have been reported, aliases and merge keys (`<<`) are resolved by reference, and depth, node
// count (with aliases expanded) and size are bounded. yaml_tree.cc is the only file that includes
// yaml-cpp.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hangu::config {

/// Line and column from 1; the column counts bytes. Line 0: the file as a whole.
struct Mark {
  size_t line = 0;
  size_t column = 0;
  uint32_t source = 0;  // the text it is in: 0 is the config file, others see Reader::add_source()
};

struct Node {
  enum class Kind { kNull, kScalar, kSequence, kMapping };

  struct Entry {
    std::string key;
    Mark mark;
    const Node* value;
  };

  Kind kind = Kind::kNull;
  Mark mark;
  std::string text;            // of a scalar
  bool is_quoted = false;      // a scalar in quotes, or a block scalar
  std::vector<Entry> entries;  // of a mapping, in the order of the text
  std::vector<const Node*> items;
  size_t weight = 1;  // nodes below and including this one, aliases expanded

  const Entry* find(std::string_view key) const;
};

/// "a mapping", "a list", "nothing" or the quoted scalar, for messages.
std::string describe(const Node& node);

struct YamlProblem {
  std::string_view code;
  Mark mark;
  std::string message;
  std::string suggestion;
};

struct YamlDocument {
  std::deque<Node> nodes;  // addresses stay valid while the document lives (and when it is moved)
  const Node* root = nullptr;
};

/// Null root when a problem keeps the text from being read at all. `source`: of all its marks.
YamlDocument parse_yaml(std::string_view text, std::vector<YamlProblem>& problems,
                        uint32_t source = 0);

}  // namespace hangu::config
