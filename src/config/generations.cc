#include "hangu/config/generations.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace hangu::config {
namespace {

/// Routes of a list by their names, which are unique.
class RoutesByName {
 public:
  explicit RoutesByName(const RouteList& routes)
      : routes_(routes) {}

  /// nullptr: none. `near`: where it most likely is.
  RouteList::Item find(std::string_view name, size_t near) {
    if (near < routes_.size() && routes_[near].name == name) {
      return routes_.item(near);
    }
    if (places_.empty()) {
      places_.reserve(routes_.size());
      for (size_t i = 0; i < routes_.size(); ++i) {
        places_.emplace(routes_[i].name, i);
      }
    }
    const auto found = places_.find(name);
    return found != places_.end() ? routes_.item(found->second) : nullptr;
  }

 private:
  const RouteList& routes_;
  std::unordered_map<std::string_view, size_t> places_;  // made when it is needed
};

/// How many routes at the beginning and at the end are the same objects, none counted twice.
struct CommonEnds {
  size_t front = 0;
  size_t back = 0;
};

CommonEnds common_ends(const RouteList& a, const RouteList& b) {
  const size_t least = std::min(a.size(), b.size());
  CommonEnds ends;
  while (ends.front < least && a.item(ends.front) == b.item(ends.front)) {
    ++ends.front;
  }
  while (ends.back < least - ends.front &&
         a.item(a.size() - 1 - ends.back) == b.item(b.size() - 1 - ends.back)) {
    ++ends.back;
  }
  return ends;
}

}  // namespace

void share_unchanged(Config& next, const Config& before) {
  const CommonEnds ends = common_ends(next.routes, before.routes);
  RoutesByName old(before.routes);
  // Changed where it differs, the old list keeps the pages of those that do not.
  RouteList shared = before.routes;
  RouteList appended;
  const bool same_size = next.routes.size() == before.routes.size();
  for (size_t i = 0; i < next.routes.size(); ++i) {
    const RouteList::Item& route = next.routes.item(i);
    const bool is_shared = i < ends.front || i >= next.routes.size() - ends.back;
    RouteList::Item known = is_shared ? nullptr : old.find(route->name, i);
    const RouteList::Item& item = known != nullptr && *known == *route ? known : route;
    if (!same_size) {
      appended.append(item);
    } else if (shared.item(i) != item) {
      shared.set(i, item);
    }
  }
  next.routes = same_size ? std::move(shared) : std::move(appended);
}

RouteList routes_not_in(const RouteList& other, const RouteList& list) {
  const CommonEnds ends = common_ends(list, other);
  const size_t begin = ends.front;
  const size_t list_end = list.size() - ends.back;
  const size_t other_end = other.size() - ends.back;
  std::unordered_set<const Route*> known;
  for (size_t i = begin; i < other_end; ++i) {
    known.insert(other.item(i).get());
  }
  RouteList out;
  for (size_t i = begin; i < list_end; ++i) {
    if (!known.contains(list.item(i).get())) {
      out.append(list.item(i));
    }
  }
  return out;
}

}  // namespace hangu::config
