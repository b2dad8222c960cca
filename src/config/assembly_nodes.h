// The trees and lists that Assembly makes a config from. One thread at a time.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hangu/config/assembly.h"

#include "config/reader.h"
#include "config/yaml_tree.h"

namespace hangu::config {

inline constexpr std::string_view kRoutes = "routes";

/// "routes" of "routes/users"; all of it when there is no slash.
std::string_view list_of(std::string_view key);

/// "users" of "routes/users".
std::string_view name_in(std::string_view key);

/// Reports a key that cannot be a document's, as an error of that document.
bool report_document_key(Reader& reader, std::string_view key, uint32_t number);

/// What stands for the elements of the lists in checks, once their nodes are gone: nothing but
/// their places, in the order of the config.
class AssemblyStubs {
 public:
  const std::vector<Mark>& marks(std::string_view list) const;

  /// To be changed; copies that have the same marks keep them.
  std::vector<Mark>& edit(std::string_view list);

 private:
  std::map<std::string, std::shared_ptr<std::vector<Mark>>, std::less<>> lists_;
};

/// The file's tree with the documents' in its lists.
class AssemblyNodes {
 public:
  explicit AssemblyNodes(YamlDocument file);

  /// Appends a document to its list; what is wrong with it is reported.
  void add(Reader& reader, std::string_view key, uint32_t number, std::string_view text);

  /// nullptr: the file cannot be read at all.
  const Node* root();

  AssemblyStubs stubs() const;

 private:
  YamlDocument file_;
  std::deque<YamlDocument> documents_;  // never moved: nodes point at each other
  std::map<std::string, std::vector<const Node*>, std::less<>> added_;
  std::deque<Node> made_;
  const Node* root_ = nullptr;
};

/// A config in force, and the next one that differs in some elements. Other lists than that of the
/// routes only grow; routes stand in the order of the file and then of their keys.
class AssemblyPatch {
 public:
  AssemblyPatch(const Config& before, const AssemblyStubs& stubs, NameTable& names);

  void put(Reader& reader, std::string_view key, uint32_t number, std::string_view text);
  void remove(std::string_view key, uint32_t number);

  /// After the last put() and remove().
  void finish() { merge_routes(); }

  /// The lists as they will be, of nodes that know their places and nothing more. Only who has
  /// something to say of a place needs it: it is as long as the config.
  const Node& make_root();

  Config& config() { return config_; }

  AssemblyStubs take_stubs() { return std::move(stubs_); }

  /// When nothing comes of it.
  void undo_names();

 private:
  struct RouteChange {
    uint32_t number = 0;
    RouteList::Item route;  // null: it is gone
  };

  void put_route(Reader& reader, std::string_view key, uint32_t number, const Node& node);
  void put_element(Reader& reader, std::string_view key, uint32_t number, const Node& node);
  void merge_routes();
  bool replace_routes(size_t of_file);
  void add_routes(size_t of_file);

  Config config_;
  AssemblyStubs stubs_;
  NameTable& names_;
  std::vector<std::pair<std::string, std::string>> named_;  // list and name that are new
  std::map<std::string, RouteChange, std::less<>> routes_;  // by name
  std::deque<Node> made_;
  Node root_;
};

}  // namespace hangu::config
