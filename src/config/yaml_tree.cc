#include "config/yaml_tree.h"

#include <algorithm>
#include <istream>
#include <iterator>
#include <streambuf>
#include <unordered_map>
#include <unordered_set>

#include <fmt/format.h>
#include <yaml-cpp/depthguard.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include "hangu/config/load.h"

#include "config/text.h"

namespace hangu::config {

namespace {

/// Long scalars weigh more, so that aliases cannot multiply them without bound either.
constexpr size_t kBytesPerWeight = 64;

Mark mark_of(const YAML::Mark& mark) {
  if (mark.is_null()) {
    return {};
  }
  return {static_cast<size_t>(mark.line) + 1, static_cast<size_t>(mark.column) + 1};
}

/// Reads a string_view in place.
class ViewBuffer : public std::streambuf {
 public:
  explicit ViewBuffer(std::string_view text) {
    char* begin = const_cast<char*>(text.data());  // NOLINT: std::streambuf wants it; never written
    setg(begin, begin, begin + text.size());
  }
};

class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(YamlDocument& document, std::vector<YamlProblem>& problems)
      : document_(document),
        problems_(problems) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ == 2) {
      report("E0106", mark_of(mark),
             "a second YAML document begins here; a config is one document");
    }
  }

  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(make(Node::Kind::kNull, mark, anchor), mark);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end() || found->second == nullptr) {
      report("E0105", mark_of(mark), "this alias stands inside what it refers to");
      add(make(Node::Kind::kNull, mark, 0), mark);
      return;
    }
    add(found->second, mark);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    Node* node = make(Node::Kind::kScalar, mark, anchor);
    if (node != nullptr) {
      node->text = value;
      node->is_quoted = tag != "?";
      node->weight = 1 + value.size() / kBytesPerWeight;
    }
    last_scalar_ = mark;
    check_tag(mark, tag);
    add(node, mark);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    check_tag(mark, tag);
    open(make(Node::Kind::kSequence, mark, anchor), anchor);
  }

  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    check_tag(mark, tag);
    open(make(Node::Kind::kMapping, mark, anchor), anchor);
  }

  void OnMapEnd() override {
    if (!stopped_ && !open_.empty()) {
      merge(open_.back());
    }
    close();
  }

  void report_depth(Mark mark) {
    stop(mark, fmt::format("nested deeper than {} levels", kYamlDepthMax));
  }

  bool stopped() const { return stopped_; }

  const YAML::Mark& last_scalar() const { return last_scalar_; }

  /// The innermost collection that was begun and not ended; line 0 when there is none.
  Mark innermost_open() const { return open_.empty() ? Mark{} : open_.back().node->mark; }

 private:
  struct Open {
    Node* node = nullptr;
    YAML::anchor_t anchor = 0;
    std::optional<Node::Entry> key;  // read, its value still to come
    std::vector<Node::Entry> merges;
  };

  void report(std::string_view code, Mark mark, std::string message, std::string suggestion = "") {
    if (!stopped_) {
      problems_.push_back({code, mark, std::move(message), std::move(suggestion)});
    }
  }

  /// After this nothing more is built; yaml-cpp reads on to the end, in bounded memory.
  void stop(Mark mark, std::string message) {
    report("E0102", mark, std::move(message));
    stopped_ = true;
  }

  void check_tag(const YAML::Mark& mark, const std::string& tag) {
    static const std::unordered_set<std::string_view> kKnown = {"",
                                                                "?",
                                                                "!",
                                                                "tag:yaml.org,2002:str",
                                                                "tag:yaml.org,2002:int",
                                                                "tag:yaml.org,2002:bool",
                                                                "tag:yaml.org,2002:seq",
                                                                "tag:yaml.org,2002:map"};
    if (kKnown.count(tag) == 0) {
      report("E0108", mark_of(mark), fmt::format("the tag {} is not supported", quoted(tag)));
    }
  }

  Node* make(Node::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (stopped_) {
      return nullptr;
    }
    if (document_.nodes.size() >= kYamlNodesMax) {
      stop(mark_of(mark), fmt::format("more than {} values in one file", kYamlNodesMax));
      return nullptr;
    }
    Node& node = document_.nodes.emplace_back();
    node.kind = kind;
    node.mark = mark_of(mark);
    if (anchor != 0) {
      const bool is_leaf = kind == Node::Kind::kNull || kind == Node::Kind::kScalar;
      anchors_[anchor] = is_leaf ? &node : nullptr;  // a collection: once it is complete
    }
    return &node;
  }

  void open(Node* node, YAML::anchor_t anchor) {
    if (stopped_ || node == nullptr) {
      return;
    }
    if (open_.size() >= kYamlDepthMax) {
      report_depth(node->mark);
      return;
    }
    Open level;
    level.node = node;
    level.anchor = anchor;
    open_.push_back(std::move(level));
  }

  void close() {
    if (stopped_ || open_.empty()) {
      return;
    }
    const Open level = std::move(open_.back());
    open_.pop_back();
    if (level.anchor != 0) {
      anchors_[level.anchor] = level.node;
    }
    add(level.node, level.node->mark);
  }

  /// Hands a complete node to the collection that is being read.
  void add(const Node* node, Mark mark) {
    if (stopped_ || node == nullptr) {
      return;
    }
    if (open_.empty()) {
      document_.root = document_.root == nullptr ? node : document_.root;
      return;
    }
    Open& level = open_.back();
    if (level.node->kind == Node::Kind::kSequence) {
      level.node->items.push_back(node);
    } else if (!level.key) {
      add_key(level, *node, mark);
      return;
    } else {
      level.key->value = node;
      add_entry(level);
    }
    count(level, node->weight, mark);
  }

  void count(Open& level, size_t weight, Mark mark) {
    level.node->weight += weight;
    if (level.node->weight > kYamlNodesMax) {
      stop(mark, fmt::format("aliases expand to more than {} values", kYamlNodesMax));
    }
  }

  void add(const Node* node, const YAML::Mark& mark) { add(node, mark_of(mark)); }

  void add_key(Open& level, const Node& node, Mark mark) {
    count(level, node.weight, mark);
    if (node.kind != Node::Kind::kScalar) {
      report("E0110", mark, "expected a key, found " + describe(node));
    }
    level.key = Node::Entry{node.text, mark, nullptr};
    if (node.kind != Node::Kind::kScalar) {
      level.key->mark.line = 0;  // dropped with its value by add_entry()
    }
  }

  void add_entry(Open& level) {
    Node::Entry entry = std::move(*level.key);
    level.key.reset();
    if (entry.mark.line == 0) {
      return;
    }
    if (entry.key == "<<") {
      level.merges.push_back(std::move(entry));
      return;
    }
    level.node->entries.push_back(std::move(entry));
  }

  void merge(Open& level) {
    std::vector<Node::Entry>& entries = level.node->entries;
    drop_duplicates(entries);
    std::unordered_set<std::string> known;
    for (const Node::Entry& entry : entries) {
      known.insert(entry.key);
    }
    for (const Node::Entry& entry : level.merges) {
      std::vector<const Node*> sources = entry.value->items;
      if (entry.value->kind != Node::Kind::kSequence) {
        sources = {entry.value};
      }
      for (const Node* source : sources) {
        if (source->kind != Node::Kind::kMapping) {
          report("E0105", entry.mark,
                 "`<<` takes a mapping or a list of mappings, found " + describe(*source));
          continue;
        }
        std::copy_if(source->entries.begin(), source->entries.end(), std::back_inserter(entries),
                     [&](const Node::Entry& each) { return known.insert(each.key).second; });
      }
    }
  }

  void drop_duplicates(std::vector<Node::Entry>& entries) {
    std::unordered_map<std::string, size_t> lines;
    std::vector<Node::Entry> kept;
    for (Node::Entry& entry : entries) {
      const auto [at, is_new] = lines.emplace(entry.key, entry.mark.line);
      if (!is_new) {
        report("E0104", entry.mark,
               fmt::format("key {} was already given on line {}", quoted(entry.key), at->second));
        continue;
      }
      kept.push_back(std::move(entry));
    }
    entries = std::move(kept);
  }

  YamlDocument& document_;
  std::vector<YamlProblem>& problems_;
  std::unordered_map<YAML::anchor_t, const Node*> anchors_;
  std::vector<Open> open_;
  YAML::Mark last_scalar_ = YAML::Mark::null_mark();
  int documents_ = 0;
  bool stopped_ = false;
};

/// The position of the first byte that no config may hold, if any.
std::optional<YamlProblem> find_bad_byte(std::string_view text) {
  Mark mark{1, 1};
  for (size_t at = 0; at < text.size();) {
    const size_t length = utf8_length(text, at);
    const char c = text[at];
    if (length == 0) {
      return YamlProblem{"E0109", mark, "the text is not UTF-8", "save the file as UTF-8"};
    }
    if (is_control(c) && c != '\n' && c != '\t' && c != '\r') {
      return YamlProblem{"E0109", mark,
                         fmt::format("control character 0x{:02X}", static_cast<unsigned char>(c)),
                         ""};
    }
    at += length;
    mark = c == '\n' ? Mark{mark.line + 1, 1} : Mark{mark.line, mark.column + length};
  }
  return std::nullopt;
}

/// The first line at or just before `line` that is indented with a tab; a mark with line 0 if none.
Mark find_tab_indent(std::string_view text, size_t line) {
  Mark found;
  size_t number = 1;
  for (size_t begin = 0; begin < text.size() && number <= line; ++number) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const size_t first = text.find_first_not_of(" \t", begin);
    const size_t tab = text.substr(0, std::min(first, end)).find('\t', begin);
    if (number + 1 >= line && tab != std::string_view::npos && found.line == 0) {
      found = {number, tab - begin + 1};
    }
    begin = end + 1;
  }
  return found;
}

YamlProblem syntax_problem(std::string_view text, const YAML::Exception& error, Mark open) {
  const Mark mark = mark_of(error.mark);
  if (const Mark tab = find_tab_indent(text, mark.line); tab.line != 0) {
    return {"E0103", tab, "a tab in the indentation; YAML indents with spaces only",
            "replace the tab by spaces"};
  }
  std::string suggestion;
  if (error.msg.find("flow") != std::string::npos && open.line != 0) {
    suggestion = fmt::format("the list or mapping that begins at {}:{} is not closed", open.line,
                             open.column);
  }
  return {"E0101", mark, "YAML syntax: " + error.msg, std::move(suggestion)};
}

/// yaml-cpp takes the end of the text for the end of a quoted scalar; only the last one can be
/// open.
std::optional<YamlProblem> find_open_quote(std::string_view text, const YAML::Mark& last) {
  const size_t begin =
      static_cast<size_t>(last.pos) + (text.substr(0, 3) == "\xEF\xBB\xBF" ? 3 : 0);
  if (last.is_null() || begin >= text.size() || (text[begin] != '"' && text[begin] != '\'')) {
    return std::nullopt;
  }
  const char quote = text[begin];
  for (size_t at = begin + 1; at < text.size(); ++at) {
    if (text[at] == quote) {
      return std::nullopt;
    }
    at += quote == '"' && text[at] == '\\' ? 1 : 0;
  }
  return YamlProblem{"E0101", mark_of(last),
                     "YAML syntax: the quote that begins here is not closed", ""};
}

}  // namespace

const Node::Entry* Node::find(std::string_view key) const {
  for (const Entry& entry : entries) {
    if (entry.key == key) {
      return &entry;
    }
  }
  return nullptr;
}

std::string describe(const Node& node) {
  switch (node.kind) {
    case Node::Kind::kNull: return "nothing";
    case Node::Kind::kScalar: return quoted(node.text);
    case Node::Kind::kSequence: return "a list";
    case Node::Kind::kMapping: return "a mapping";
  }
  return "";
}

namespace {

YamlDocument parse_text(std::string_view text, std::vector<YamlProblem>& problems) {
  YamlDocument document;
  if (text.size() > kFileBytesMax) {
    problems.push_back(
        {"E0102", {}, fmt::format("the file is larger than {} bytes", kFileBytesMax), ""});
    return document;
  }
  if (std::optional<YamlProblem> bad = find_bad_byte(text)) {
    problems.push_back(std::move(*bad));
    return document;
  }
  ViewBuffer buffer(text);
  std::istream stream(&buffer);
  TreeBuilder builder(document, problems);
  try {
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
      if (builder.stopped() || !problems.empty()) {
        break;
      }
    }
    if (std::optional<YamlProblem> open = find_open_quote(text, builder.last_scalar())) {
      problems.push_back(std::move(*open));
    }
  } catch (const YAML::DeepRecursion& error) {
    builder.report_depth(mark_of(error.mark));
  } catch (const YAML::Exception& error) {
    problems.push_back(syntax_problem(text, error, builder.innermost_open()));
  }
  const bool readable =
      std::all_of(problems.begin(), problems.end(), [](const YamlProblem& problem) {
        return problem.code == "E0104" || problem.code == "E0108" || problem.code == "E0105" ||
               problem.code == "E0110";
      });
  if (!readable) {
    document.root = nullptr;
  }
  return document;
}

}  // namespace

YamlDocument parse_yaml(std::string_view text, std::vector<YamlProblem>& problems,
                        uint32_t source) {
  const size_t known = problems.size();
  YamlDocument document = parse_text(text, problems);
  if (source != 0) {
    for (size_t i = known; i < problems.size(); ++i) {
      problems[i].mark.source = source;
    }
    for (Node& node : document.nodes) {
      node.mark.source = source;
      for (Node::Entry& entry : node.entries) {
        entry.mark.source = source;
      }
    }
  }
  return document;
}

}  // namespace hangu::config
