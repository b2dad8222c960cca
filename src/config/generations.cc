#include "hangu/config/generations.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "hangu/base/list_difference.h"

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
  RoutesByName old(before.routes);
  const auto known_or_new = [&old](const RouteList::Item& route, size_t at) {
    const RouteList::Item known = old.find(route->name, at);
    return known != nullptr && *known == *route ? known : route;
  };
  if (next.routes.size() == before.routes.size()) {
    // Changed where it differs, the old list keeps the pages of those that do not.
    RouteList shared = before.routes;
    for (const size_t at : differing_places(next.routes, before.routes)) {
      const RouteList::Item item = known_or_new(next.routes.item(at), at);
      if (shared.item(at) != item) {
        shared.set(at, item);
      }
    }
    next.routes = std::move(shared);
    return;
  }
  const CommonEnds ends = common_ends(next.routes, before.routes);
  RouteList appended;
  for (size_t at = 0; at < next.routes.size(); ++at) {
    const RouteList::Item& route = next.routes.item(at);
    const bool is_shared = at < ends.front || at >= next.routes.size() - ends.back;
    appended.append(is_shared ? route : known_or_new(route, at));
  }
  next.routes = std::move(appended);
}

RouteList routes_not_in(const RouteList& other, const RouteList& list) {
  RouteList out;
  std::unordered_set<const Route*> known;
  if (list.size() == other.size()) {
    const std::vector<size_t> places = differing_places(list, other);
    for (const size_t at : places) {
      known.insert(other.item(at).get());
    }
    for (const size_t at : places) {
      if (!known.contains(list.item(at).get())) {
        out.append(list.item(at));
      }
    }
    return out;
  }
  const CommonEnds ends = common_ends(list, other);
  for (size_t at = ends.front; at < other.size() - ends.back; ++at) {
    known.insert(other.item(at).get());
  }
  for (size_t at = ends.front; at < list.size() - ends.back; ++at) {
    if (!known.contains(list.item(at).get())) {
      out.append(list.item(at));
    }
  }
  return out;
}

}  // namespace hangu::config
