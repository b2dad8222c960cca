#include "hangu/config/print.h"

#include <map>

#include "hangu/config/generations.h"

#include "config/schema.h"
#include "config/value.h"

namespace hangu::config {

namespace {

/// The element's own name, for paths; its index when it has none.
std::string element_label(const Value& element, size_t index) {
  for (const auto& [key, value] : element.entries) {
    if (key == "name") {
      return value.text;
    }
  }
  return std::to_string(index);
}

/// Compares two values of one type key by key.
class Comparison {
 public:
  explicit Comparison(std::vector<KeyChange>& out)
      : out_(out) {}

  void compare(const Type& type, const std::string& path, ReloadClass reload, const Value& before,
               const Value& after) {
    if (before == after) {
      return;
    }
    const bool both_mappings =
        before.kind == Value::Kind::kMapping && after.kind == Value::Kind::kMapping;
    if (type.fields() != nullptr && both_mappings) {
      compare_fields(*type.fields(), path, before, after);
    } else if (type.element() != nullptr && type.element()->fields() != nullptr) {
      compare_elements(*type.element(), path, before, after);
    } else {
      out_.push_back({path, yaml_flow(before), yaml_flow(after), reload});
    }
  }

 private:
  void compare_fields(const Fields& fields, const std::string& path, const Value& before,
                      const Value& after) {
    for (size_t i = 0; i < fields.keys().size(); ++i) {
      const Row& row = fields.keys()[i].row;
      const std::string name = path + (path.empty() ? "" : ".") + std::string(row.name);
      compare(*fields.keys()[i].type, name, row.reload, before.entries[i].second,
              after.entries[i].second);
    }
  }

  void compare_elements(const Type& element, const std::string& path, const Value& before,
                        const Value& after) {
    std::map<std::string, const Value*> old;
    for (size_t i = 0; i < before.items.size(); ++i) {
      old[element_label(before.items[i], i)] = &before.items[i];
    }
    for (size_t i = 0; i < after.items.size(); ++i) {
      const std::string label = element_label(after.items[i], i);
      const std::string place = path + '[' + label + ']';
      const auto found = old.find(label);
      if (found == old.end()) {
        out_.push_back({place, "", yaml_flow(after.items[i]), ReloadClass::kLive});
        continue;
      }
      compare(element, place, ReloadClass::kLive, *found->second, after.items[i]);
      old.erase(found);
    }
    for (const auto& [label, value] : old) {
      out_.push_back({path + '[' + label + ']', yaml_flow(*value), "", ReloadClass::kLive});
    }
  }

  std::vector<KeyChange>& out_;
};

/// Elements that are the same at the same place; the lists may differ in length.
template <class T>
void leave_out_alike(std::vector<T>& a, std::vector<T>& b) {
  const size_t common = std::min(a.size(), b.size());
  size_t kept = 0;
  for (size_t i = 0; i < common; ++i) {
    if (!(a[i] == b[i])) {
      std::swap(a[kept], a[i]);
      std::swap(b[kept], b[i]);
      ++kept;
    }
  }
  a.erase(a.begin() + static_cast<ptrdiff_t>(kept), a.begin() + static_cast<ptrdiff_t>(common));
  b.erase(b.begin() + static_cast<ptrdiff_t>(kept), b.begin() + static_cast<ptrdiff_t>(common));
}

}  // namespace

const char* to_string(ReloadClass reload) noexcept {
  switch (reload) {
    case ReloadClass::kLive: return "live";
    case ReloadClass::kNewConnections: return "new connections";
    case ReloadClass::kRestart: return "restart";
  }
  return "";
}

std::string print_effective(const Config& config) {
  std::string out;
  yaml_block(root_type().to_value(config, &config), 0, out);
  return out;
}

std::vector<KeyChange> changed_keys(const Config& before, const Config& after) {
  // Of thousands of routes most are the same objects: those need no look.
  Config old = before;
  Config now = after;
  old.routes = routes_not_in(after.routes, before.routes);
  now.routes = routes_not_in(before.routes, after.routes);
  leave_out_alike(old.upstreams, now.upstreams);
  std::vector<KeyChange> out;
  const Type& root = root_type();
  Comparison(out).compare(root, "", ReloadClass::kLive, root.to_value(before, &old),
                          root.to_value(after, &now));
  return out;
}

}  // namespace hangu::config
