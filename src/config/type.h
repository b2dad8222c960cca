// Type: how one kind of config value is read, printed and described; the rows of the table in
// schema.cc are made of these. A type is immutable once the table is built. Typed at its edges
// (TypeOf<T>), type-erased inside, so that reading, printing, JSON Schema and the documents are one
// walk each.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "hangu/base/shared_list.h"
#include "hangu/config/config.h"
#include "hangu/config/print.h"

#include "config/reader.h"
#include "config/value.h"

namespace hangu::config {

class Fields;

class Type {
 public:
  virtual ~Type() = default;

  /// Fills `out` from the node; problems are reported and leave `out` as it was (or partly filled).
  virtual void read(Reader& reader, const Node& node, void* out) const = 0;

  virtual Value to_value(const Config& config, const void* value) const = 0;

  /// "duration", "list of hosts".
  virtual std::string name() const = 0;

  /// "1ms … 1h"; may be empty.
  virtual std::string limits() const { return ""; }

  /// Members of the JSON Schema object without braces: `"type":"string"`. Of a mapping with keys:
  /// the schema of what may stand in its place, if anything. Lists have none of their own.
  virtual std::string schema() const { return ""; }

  /// The keys of a mapping type, else null.
  virtual const Fields* fields() const { return nullptr; }

  /// The element type of a list, else null; and a default element.
  virtual const Type* element() const { return nullptr; }

  virtual const void* default_element() const { return nullptr; }

  /// The element of the list `value` whose name this is; null: there is none. Of lists only.
  virtual const void* find_element(const void* /*value*/, std::string_view /*name*/) const {
    return nullptr;
  }

  /// Reads one element of the list `out`, or one more when there are just `index`; registers no
  /// name. Of lists only.
  virtual void read_element(Reader& /*reader*/, const Node& /*node*/, void* /*out*/,
                            size_t /*index*/) const {}
};

template <class T>
class TypeOf : public Type {};

template <class T>
using TypePtr = std::unique_ptr<TypeOf<T>>;

/// What a row of the table says beyond its type.
struct Row {
  std::string_view name;
  std::string_view documentation;
  std::string_view example;  // valid, and not the default
  ReloadClass reload = ReloadClass::kLive;
  std::string_view since = "0.1";
  bool required = false;
  // Excludes a sibling, names a file that the loader reads, or does nothing as long as it is not
  // filled in: the reference shows it in a comment.
  bool alternative = false;
};

struct Key {
  Row row;
  std::unique_ptr<const Type> type;
  void* (*locate)(void* object);

  const void* at(const void* object) const {
    return locate(const_cast<void*>(object));  // NOLINT: locate only computes an address
  }
};

/// The keys of one mapping, with or without a struct of its own.
class Fields {
 public:
  void add(Key key) { keys_.push_back(std::move(key)); }

  const std::vector<Key>& keys() const { return keys_; }

  void read(Reader& reader, const Node& node, void* object) const;
  Value to_value(const Config& config, const void* object) const;

  bool top_level = false;  // ignores keys that begin with "x-"

 private:
  void report_unknown(Reader& reader, const Node& node) const;
  std::string suggest(std::string_view unknown) const;
  const Key* find(std::string_view name) const;

  std::vector<Key> keys_;
};

/// "expected a mapping such as {a: b}, found 5".
Problem wrong_type(std::string_view expected, std::string_view example, const Node& node);

namespace internal {

template <auto... Members>
struct MemberPath;

template <class Class, class M, M Class::*Member, auto... Rest>
struct MemberPath<Member, Rest...> {
  using Object = Class;

  static auto* locate(Class* object) {
    if constexpr (sizeof...(Rest) == 0) {
      return &(object->*Member);
    } else {
      return MemberPath<Rest...>::locate(&(object->*Member));
    }
  }

  static void* locate_erased(void* object) { return locate(static_cast<Class*>(object)); }

  using Target = std::remove_pointer_t<decltype(locate(nullptr))>;
};

inline void* locate_same(void* object) {
  return object;
}

}  // namespace internal

/// A mapping whose keys fill members of T, directly or through nested structs.
template <class T>
class ObjectType final : public TypeOf<T> {
 public:
  using Check = void (*)(Reader&, const Node&, const T&);

  explicit ObjectType(std::string_view name)
      : name_(name) {}

  /// `object.key<&T::member>(type, {row})`, or `<&T::inner, &Inner::member>`.
  template <auto... Members>
  ObjectType& key(TypePtr<typename internal::MemberPath<Members...>::Target> type, Row row) {
    static_assert(std::is_same_v<typename internal::MemberPath<Members...>::Object, T>);
    fields_.add({row, std::move(type), &internal::MemberPath<Members...>::locate_erased});
    return *this;
  }

  /// A key that fills several members of T, such as a mapping that groups them.
  ObjectType& group(TypePtr<T> type, Row row) {
    fields_.add({row, std::move(type), &internal::locate_same});
    return *this;
  }

  /// Called after the keys were read from a mapping.
  ObjectType& check(Check function) {
    check_ = function;
    return *this;
  }

  ObjectType& top_level() {
    fields_.top_level = true;
    return *this;
  }

  void read(Reader& reader, const Node& node, void* out) const override {
    fields_.read(reader, node, out);
    if (check_ != nullptr && node.kind == Node::Kind::kMapping) {
      check_(reader, node, *static_cast<const T*>(out));
    }
  }

  Value to_value(const Config& config, const void* value) const override {
    return fields_.to_value(config, value);
  }

  std::string name() const override { return name_; }

  const Fields* fields() const override { return &fields_; }

 private:
  std::string name_;
  Fields fields_;
  Check check_ = nullptr;
};

struct ElementName {
  std::string_view name;
  uint32_t index = 0;
};

/// Notes the name of the element that was read from `item`; reports E0129 when another has it.
void register_name(Reader& reader, std::string_view kind, const Node& item, ElementName element);

struct ListOptions {
  std::string_view name;        // "list of hosts"
  std::string_view example;     // "[a, b]"
  std::string_view names = {};  // elements have a unique `name`, registered under this word
  bool at_least_one = false;
  bool warn_repeated = false;  // W0154
};

template <class T>
class ListType final : public TypeOf<std::vector<T>> {
 public:
  ListType(TypePtr<T> element, ListOptions options)
      : element_(std::move(element)),
        options_(options) {}

  void read(Reader& reader, const Node& node, void* out) const override {
    auto& list = *static_cast<std::vector<T>*>(out);
    if (node.kind != Node::Kind::kSequence && node.kind != Node::Kind::kNull) {
      reader.error(node.mark, wrong_type("a " + name(), options_.example, node));
      return;
    }
    if (options_.at_least_one && node.items.empty()) {
      reader.error(node.mark, {"E0137", "at least one is needed " + reader.in_where(), ""});
    }
    list.clear();
    list.reserve(node.items.size());
    for (size_t i = 0; i < node.items.size(); ++i) {
      const Node& item = *node.items[i];
      const Reader::Scope scope(reader, "[" + std::to_string(i) + "]");
      list.emplace_back();
      element_->read(reader, item, &list.back());
      if constexpr (requires(const T& named) { std::string_view(named.name); }) {
        if (!options_.names.empty()) {
          register_name(reader, options_.names, item, {list.back().name, static_cast<uint32_t>(i)});
        }
      }
    }
    if (options_.warn_repeated) {
      warn_repeated(reader, node, list);
    }
  }

  Value to_value(const Config& config, const void* value) const override {
    Value out;
    out.kind = Value::Kind::kList;
    for (const T& item : *static_cast<const std::vector<T>*>(value)) {
      out.items.push_back(element_->to_value(config, &item));
    }
    return out;
  }

  std::string name() const override { return std::string(options_.name); }

  std::string limits() const override { return options_.at_least_one ? "at least one" : ""; }

  const Type* element() const override { return element_.get(); }

  const void* default_element() const override {
    static const T kDefault{};
    return &kDefault;
  }

  const void* find_element(const void* value, std::string_view name) const override {
    if constexpr (requires(const T& named) { std::string_view(named.name); }) {
      for (const T& item : *static_cast<const std::vector<T>*>(value)) {
        if (item.name == name) {
          return &item;
        }
      }
    }
    return nullptr;
  }

  void read_element(Reader& reader, const Node& node, void* out, size_t index) const override {
    auto& list = *static_cast<std::vector<T>*>(out);
    if (index == list.size()) {
      list.emplace_back();
    } else {
      list[index] = T{};
    }
    element_->read(reader, node, &list[index]);
  }

 private:
  void warn_repeated(Reader& reader, const Node& node, const std::vector<T>& list) const;

  TypePtr<T> element_;
  ListOptions options_;
};

/// The same for a list whose elements generations share.
template <class T>
class SharedListType final : public TypeOf<SharedList<T>> {
 public:
  SharedListType(TypePtr<T> element, ListOptions options)
      : list_(std::move(element), options) {}

  void read(Reader& reader, const Node& node, void* out) const override {
    std::vector<T> elements;
    list_.read(reader, node, &elements);
    auto& list = *static_cast<SharedList<T>*>(out);
    list = {};
    for (T& element : elements) {
      list.push_back(std::move(element));
    }
  }

  Value to_value(const Config& config, const void* value) const override {
    Value out;
    out.kind = Value::Kind::kList;
    for (const T& item : *static_cast<const SharedList<T>*>(value)) {
      out.items.push_back(list_.element()->to_value(config, &item));
    }
    return out;
  }

  std::string name() const override { return list_.name(); }

  std::string limits() const override { return list_.limits(); }

  const Type* element() const override { return list_.element(); }

  const void* default_element() const override { return list_.default_element(); }

  const void* find_element(const void* value, std::string_view name) const override {
    for (const T& item : *static_cast<const SharedList<T>*>(value)) {
      if (item.name == name) {
        return &item;
      }
    }
    return nullptr;
  }

 private:
  ListType<T> list_;
};

/// Reports W0154 for the items that stand in the list for a second time.
void warn_repeated_items(Reader& reader, const Node& node, const std::vector<std::string>& values);

template <class T>
void ListType<T>::warn_repeated(Reader& reader, const Node& node,
                                const std::vector<T>& list) const {
  static const Config kNoConfig;
  std::vector<std::string> values;
  values.reserve(list.size());
  for (const T& item : list) {
    values.push_back(element_->to_value(kNoConfig, &item).text);
  }
  warn_repeated_items(reader, node, values);
}

}  // namespace hangu::config
