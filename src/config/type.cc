#include "config/type.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "hangu/base/letter_case.h"

#include "config/schema.h"
#include "config/text.h"

namespace hangu::config {

namespace {

/// The words of a key in order, without the plural's s: "idle_timeout" and "timeouts" + "idle"
/// agree.
std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> out;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find_first_of("_-.", begin), text.size());
    std::string word = lower_case(text.substr(begin, end - begin));
    if (word.size() > 3 && word.back() == 's') {
      word.pop_back();
    }
    out.push_back(std::move(word));
    begin = end + 1;
  }
  std::sort(out.begin(), out.end());
  return out;
}

bool same_words(std::string_view key, std::string_view group, std::string_view inner) {
  return key.size() < 64 && words_of(key) == words_of(fmt::format("{}_{}", group, inner));
}

}  // namespace

Problem wrong_type(std::string_view expected, std::string_view example, const Node& node) {
  std::string message = fmt::format("expected {}", expected);
  if (!example.empty()) {
    message += fmt::format(" such as {}", example);
  }
  return {"E0110", fmt::format("{}, found {}", message, describe(node)), ""};
}

const Key* Fields::find(std::string_view name) const {
  for (const Key& key : keys_) {
    if (key.row.name == name) {
      return &key;
    }
  }
  return nullptr;
}

void Fields::read(Reader& reader, const Node& node, void* object) const {
  if (node.kind != Node::Kind::kMapping && node.kind != Node::Kind::kNull) {
    // What was meant for another place may be a secret: `authorization: Bearer …`.
    const bool scalar = node.kind == Node::Kind::kScalar;
    std::vector<std::string> names;
    for (const Key& key : keys_) {
      names.emplace_back(key.row.name);
    }
    reader.error(node.mark, {"E0110",
                             fmt::format("expected a mapping for {}, found {}", reader.where(),
                                         scalar ? "a text" : describe(node)),
                             fmt::format("it takes the keys {}", join(names, ", "))});
    return;
  }
  report_unknown(reader, node);
  for (const Key& key : keys_) {
    const Node::Entry* entry = node.find(key.row.name);
    if (entry != nullptr) {
      const Reader::Scope scope(reader, std::string(key.row.name));
      key.type->read(reader, *entry->value, key.locate(object));
    } else if (key.row.required) {
      reader.error(node.mark,
                   {key.row.name == "version" ? "E0107" : "E0121",
                    fmt::format("{} lacks the key {}", reader.where(), quoted(key.row.name)),
                    fmt::format("add `{}: {}`", key.row.name, key.row.example)});
    }
  }
}

std::string Fields::suggest(std::string_view unknown) const {
  std::vector<std::string_view> names;
  for (const Key& key : keys_) {
    names.push_back(key.row.name);
    if (key.type->fields() == nullptr) {
      continue;
    }
    for (const Key& inner : key.type->fields()->keys()) {
      if (same_words(unknown, key.row.name, inner.row.name)) {
        return did_you_mean(fmt::format("{}.{}", key.row.name, inner.row.name));
      }
    }
  }
  const std::string_view near = nearest(unknown, names);
  const bool is_typo = !near.empty() && edit_distance(unknown, near, 2) <= 1;
  const std::string elsewhere = places_of_key(unknown);
  return elsewhere.empty() || is_typo ? did_you_mean(near)
                                      : fmt::format("{} exists as {}", quoted(unknown), elsewhere);
}

void Fields::report_unknown(Reader& reader, const Node& node) const {
  for (const Node::Entry& entry : node.entries) {
    if (find(entry.key) == nullptr && !(top_level && entry.key.rfind("x-", 0) == 0)) {
      reader.error(entry.mark,
                   {"E0123", fmt::format("unknown key {} {}", quoted(entry.key), reader.in_where()),
                    suggest(entry.key)});
    }
  }
}

Value Fields::to_value(const Config& config, const void* object) const {
  Value out;
  out.kind = Value::Kind::kMapping;
  for (const Key& key : keys_) {
    out.entries.emplace_back(key.row.name, key.type->to_value(config, key.at(object)));
  }
  return out;
}

void register_name(Reader& reader, std::string_view kind, const Node& item, ElementName element) {
  const Node::Entry* entry = item.kind == Node::Kind::kMapping ? item.find("name") : nullptr;
  if (entry == nullptr || element.name.empty()) {
    return;
  }
  const Mark mark = entry->value->mark;
  const auto [at, is_new] =
      reader.names(kind).emplace(std::string(element.name), NamedElement{element.index, mark});
  if (!is_new) {
    reader.error(
        mark, {"E0129",
               fmt::format("the name {} is taken by {}[{}] on line {}", quoted(element.name), kind,
                           at->second.index, at->second.mark.line),
               ""});
  }
}

void warn_repeated_items(Reader& reader, const Node& node, const std::vector<std::string>& values) {
  std::set<std::string_view> seen;
  for (size_t i = 0; i < values.size(); ++i) {
    if (!values[i].empty() && !seen.insert(values[i]).second) {
      reader.warning(
          node.items[i]->mark,
          {"W0154", fmt::format("{} is listed twice {}", quoted(values[i]), reader.in_where()),
           ""});
    }
  }
}

}  // namespace hangu::config
