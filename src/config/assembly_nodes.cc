#include "config/assembly_nodes.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "config/document.h"
#include "config/rules.h"
#include "config/schema.h"
#include "config/text.h"
#include "config/type.h"

namespace hangu::config {
namespace {

/// The row of a list that documents may be of, else null.
const Key* find_list(std::string_view name) {
  for (const Key& key : root_type().fields()->keys()) {
    if (key.row.name == name && key.type->element() != nullptr && name != "listeners") {
      return &key;
    }
  }
  return nullptr;
}

/// The mapping of a document, its name filled in; null when there is none, which is reported.
const Node* read_document_text(Reader& reader, YamlDocument& document, std::string_view key,
                               uint32_t number, std::string_view text) {
  const Mark top{1, 1, number};
  if (text.size() > Assembly::kDocumentBytesMax) {
    reader.error(top, {"E0178",
                       fmt::format("a document has at most {} bytes, this has {}",
                                   Assembly::kDocumentBytesMax, text.size()),
                       ""});
    return nullptr;
  }
  std::vector<YamlProblem> problems;
  document = parse_yaml(text, problems, number);
  report_problems(reader, problems);
  if (document.root == nullptr || document.root->kind != Node::Kind::kMapping) {
    if (problems.empty()) {
      const std::string found = document.root == nullptr ? "nothing" : describe(*document.root);
      reader.error(top, {"E0178", fmt::format("expected a mapping, found {}", found), ""});
    }
    return nullptr;
  }
  const std::string_view name = name_in(key);
  const Node::Entry* entry = document.root->find("name");
  if (entry != nullptr && entry->value->text != name) {
    reader.error(
        entry->value->mark,
        {"E0178", fmt::format("the document {} names itself {}", key, describe(*entry->value)),
         fmt::format("write `name: {}`, or leave it out", name)});
    return nullptr;
  }
  if (entry == nullptr) {
    Node& value = document.nodes.emplace_back();
    value.kind = Node::Kind::kScalar;
    value.text = name;
    value.mark = top;
    Node& root = document.nodes.emplace_back(*document.root);
    root.entries.insert(root.entries.begin(), Node::Entry{"name", top, &value});
    document.root = &root;
  }
  return document.root;
}

Node& make_node(std::deque<Node>& nodes, Node::Kind kind, Mark mark) {
  Node& node = nodes.emplace_back();
  node.kind = kind;
  node.mark = mark;
  return node;
}

}  // namespace

std::string_view list_of(std::string_view key) {
  return key.substr(0, key.find('/'));
}

std::string_view name_in(std::string_view key) {
  const size_t slash = key.find('/');
  return slash == std::string_view::npos ? std::string_view() : key.substr(slash + 1);
}

const std::vector<std::string_view>& document_lists() {
  static const std::vector<std::string_view> kLists = [] {
    std::vector<std::string_view> lists;
    for (const Key& key : root_type().fields()->keys()) {
      if (find_list(key.row.name) != nullptr) {
        lists.push_back(key.row.name);
      }
    }
    return lists;
  }();
  return kLists;
}

std::string document_key_error(std::string_view key) {
  const std::string_view list = list_of(key);
  if (key.find('/') == std::string_view::npos || find_list(list) == nullptr) {
    std::vector<std::string> known;
    for (const std::string_view each : document_lists()) {
      known.emplace_back(each);
    }
    return fmt::format("the key {} is not LIST/NAME; lists are {}", quoted(std::string(key)),
                       join(known, ", "));
  }
  std::string name(name_in(key));
  const std::optional<Problem> problem = kNameRule.apply(name);
  return problem ? problem->message : "";
}

bool report_document_key(Reader& reader, std::string_view key, uint32_t number) {
  std::string error = document_key_error(key);
  if (error.empty()) {
    return false;
  }
  reader.error({1, 1, number}, {"E0178", std::move(error), ""});
  return true;
}

const std::vector<Mark>& AssemblyStubs::marks(std::string_view list) const {
  static const std::vector<Mark> kNone;
  const auto found = lists_.find(list);
  return found != lists_.end() ? *found->second : kNone;
}

std::vector<Mark>& AssemblyStubs::edit(std::string_view list) {
  std::shared_ptr<std::vector<Mark>>& marks = lists_[std::string(list)];
  if (marks == nullptr) {
    marks = std::make_shared<std::vector<Mark>>();
  } else if (marks.use_count() > 1) {
    marks = std::make_shared<std::vector<Mark>>(*marks);
  }
  return *marks;
}

AssemblyNodes::AssemblyNodes(YamlDocument file)
    : file_(std::move(file)) {}

void AssemblyNodes::add(Reader& reader, std::string_view key, uint32_t number,
                        std::string_view text) {
  if (report_document_key(reader, key, number)) {
    return;
  }
  YamlDocument document;
  if (const Node* node = read_document_text(reader, document, key, number, text)) {
    added_[std::string(list_of(key))].push_back(node);
    documents_.push_back(std::move(document));
  }
}

const Node* AssemblyNodes::root() {
  if (file_.root == nullptr || file_.root->kind != Node::Kind::kMapping || added_.empty()) {
    root_ = file_.root;
    return root_;
  }
  Node& root = made_.emplace_back(*file_.root);
  for (const auto& [name, nodes] : added_) {
    const Node::Entry* entry = root.find(name);
    const bool is_list = entry != nullptr && entry->value->kind == Node::Kind::kSequence;
    if (entry != nullptr && !is_list && entry->value->kind != Node::Kind::kNull) {
      continue;  // it will be reported as what it is
    }
    Node& list =
        make_node(made_, Node::Kind::kSequence, entry != nullptr ? entry->value->mark : Mark{1, 1});
    if (is_list) {
      list.items = entry->value->items;
    }
    list.items.insert(list.items.end(), nodes.begin(), nodes.end());
    std::erase_if(root.entries, [&name = name](const auto& each) { return each.key == name; });
    root.entries.push_back(Node::Entry{name, list.mark, &list});
  }
  root_ = &root;
  return root_;
}

AssemblyStubs AssemblyNodes::stubs() const {
  AssemblyStubs stubs;
  for (const std::string_view name : document_lists()) {
    const Node::Entry* entry = root_->find(name);
    std::vector<Mark>& marks = stubs.edit(name);
    if (entry != nullptr) {
      for (const Node* item : entry->value->items) {
        marks.push_back(item->mark);
      }
    }
  }
  return stubs;
}

AssemblyPatch::AssemblyPatch(const Config& before, const AssemblyStubs& stubs, NameTable& names)
    : config_(before),
      stubs_(stubs),
      names_(names) {}

void AssemblyPatch::put(Reader& reader, std::string_view key, uint32_t number,
                        std::string_view text) {
  YamlDocument document;
  const Node* node = read_document_text(reader, document, key, number, text);
  if (node == nullptr) {
    return;
  }
  if (list_of(key) == kRoutes) {
    put_route(reader, key, number, *node);
  } else {
    put_element(reader, key, number, *node);
  }
}

void AssemblyPatch::put_route(Reader& reader, std::string_view key, uint32_t number,
                              const Node& node) {
  auto& names = names_[std::string(kRoutes)];
  const std::string name(name_in(key));
  const auto known = names.find(name);
  if (known != names.end() && known->second.mark.source != number) {
    register_name(reader, kRoutes, node, {name, 0});  // says whose it is
    return;
  }
  if (known == names.end()) {
    names.emplace(name, NamedElement{0, {1, 1, number}});
    named_.emplace_back(kRoutes, name);
  }
  const Reader::Scope scope(reader, std::string(key));
  Route route;
  find_list(kRoutes)->type->element()->read(reader, node, &route);
  routes_[name] = {number, std::make_shared<const Route>(std::move(route))};
}

void AssemblyPatch::put_element(Reader& reader, std::string_view key, uint32_t number,
                                const Node& node) {
  const std::string list(list_of(key));
  const std::string name(name_in(key));
  auto& names = names_[list];
  const auto known = names.find(name);
  if (known != names.end() && known->second.mark.source != number) {
    register_name(reader, list, node, {name, 0});
    return;
  }
  size_t index = stubs_.marks(list).size();
  if (known == names.end()) {
    names.emplace(name, NamedElement{static_cast<uint32_t>(index), {1, 1, number}});
    named_.emplace_back(list, name);
    stubs_.edit(list).push_back({1, 1, number});
  } else {
    index = known->second.index;
  }
  const Reader::Scope scope(reader, std::string(key));
  const Key& row = *find_list(list);
  row.type->read_element(reader, node, row.locate(&config_), index);
}

void AssemblyPatch::remove(std::string_view key, uint32_t number) {
  routes_[std::string(name_in(key))] = {number, nullptr};
}

void AssemblyPatch::merge_routes() {
  const std::vector<Mark>& marks = stubs_.marks(kRoutes);
  const auto behind = std::partition_point(marks.begin(), marks.end(),
                                           [](const Mark& mark) { return mark.source == 0; });
  const auto of_file = static_cast<size_t>(behind - marks.begin());
  if (!replace_routes(of_file)) {
    add_routes(of_file);
  }
}

/// Where every change is another version of a route that there is, or takes away what there never
/// was: its place stays, and the pages of what has not changed are shared. False: one is not.
bool AssemblyPatch::replace_routes(size_t of_file) {
  RouteList replaced = config_.routes;
  for (const auto& [name, change] : routes_) {
    size_t begin = of_file;
    for (size_t end = replaced.size(); begin < end;) {
      const size_t middle = begin + (end - begin) / 2;
      if (replaced[middle].name < name) {
        begin = middle + 1;
      } else {
        end = middle;
      }
    }
    const bool is_there = begin < replaced.size() && replaced[begin].name == name;
    if (is_there != (change.route != nullptr)) {
      return false;
    }
    if (is_there) {
      replaced.set(begin, change.route);
    }
  }
  config_.routes = std::move(replaced);
  return true;
}

/// Puts routes between others or takes them out.
void AssemblyPatch::add_routes(size_t of_file) {
  const RouteList& before = config_.routes;
  const std::vector<Mark>& marks = stubs_.marks(kRoutes);
  RouteList after;
  std::vector<Mark> marks_after;
  marks_after.reserve(marks.size() + routes_.size());
  const auto add = [&](const RouteList::Item& route, const Mark& mark) {
    after.append(route);
    marks_after.push_back(mark);
  };
  auto change = routes_.begin();
  const auto add_change = [&] {
    if (change->second.route != nullptr) {
      add(change->second.route, {1, 1, change->second.number});
    }
    ++change;
  };
  for (size_t at = 0; at < before.size(); ++at) {
    while (at >= of_file && change != routes_.end() && change->first < before[at].name) {
      add_change();
    }
    if (at >= of_file && change != routes_.end() && change->first == before[at].name) {
      add_change();
    } else {
      add(before.item(at), marks[at]);
    }
  }
  while (change != routes_.end()) {
    add_change();
  }
  config_.routes = std::move(after);
  stubs_.edit(kRoutes) = std::move(marks_after);
}

const Node& AssemblyPatch::make_root() {
  root_.kind = Node::Kind::kMapping;
  root_.mark = {1, 1};
  for (const std::string_view name : document_lists()) {
    const std::vector<Mark>& marks = stubs_.marks(name);
    Node& list = make_node(made_, Node::Kind::kSequence, {1, 1});
    list.items.reserve(marks.size());
    for (const Mark& mark : marks) {
      list.items.push_back(&make_node(made_, Node::Kind::kMapping, mark));
    }
    root_.entries.push_back(Node::Entry{std::string(name), list.mark, &list});
  }
  return root_;
}

void AssemblyPatch::undo_names() {
  for (const auto& [list, name] : named_) {
    names_[list].erase(name);
  }
}

}  // namespace hangu::config
