// Fields: reads what stands in the store as JSON.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>

namespace hangu::fleet {

/// Reads an object of an unknown writer: what is missing or of another kind is nothing.
class Fields {
 public:
  explicit Fields(const boost::json::value* value)
      : object_(value != nullptr ? value->if_object() : nullptr) {}

  bool found() const { return object_ != nullptr; }

  const boost::json::object& object() const { return *object_; }

  Fields in(std::string_view name) const { return Fields(find(name)); }

  std::string text(std::string_view name) const {
    const boost::json::value* value = find(name);
    const boost::json::string* text = value != nullptr ? value->if_string() : nullptr;
    return text != nullptr ? std::string(text->data(), text->size()) : std::string();
  }

  uint64_t number(std::string_view name) const {
    const boost::json::value* value = find(name);
    boost::json::error_code bad;
    return value != nullptr ? value->to_number<uint64_t>(bad) : 0;
  }

  bool flag(std::string_view name) const {
    const boost::json::value* value = find(name);
    return value != nullptr && value->is_bool() && value->get_bool();
  }

  std::vector<std::string> texts(std::string_view name) const {
    std::vector<std::string> out;
    const boost::json::value* value = find(name);
    if (value != nullptr && value->is_array()) {
      for (const boost::json::value& each : value->get_array()) {
        if (const boost::json::string* text = each.if_string()) {
          out.emplace_back(text->data(), text->size());
        }
      }
    }
    return out;
  }

  /// The elements of a list.
  std::vector<Fields> all(std::string_view name) const {
    std::vector<Fields> out;
    const boost::json::value* value = find(name);
    if (value != nullptr && value->is_array()) {
      for (const boost::json::value& each : value->get_array()) {
        out.emplace_back(&each);
      }
    }
    return out;
  }

 private:
  const boost::json::value* find(std::string_view name) const {
    return object_ != nullptr ? object_->if_contains(name) : nullptr;
  }

  const boost::json::object* object_;
};

}  // namespace hangu::fleet
