#include "hangu/config/generations.h"

#include <numeric>
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

/// The places of a list at which there may be what another one does not have.
std::vector<size_t> places_apart(const RouteList& list, const RouteList& other) {
  if (list.size() == other.size()) {
    return differing_places(list, other);
  }
  const CommonEnds ends = common_ends(list, other);
  std::vector<size_t> places(list.size() - ends.back - ends.front);
  std::iota(places.begin(), places.end(), ends.front);
  return places;
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
  std::unordered_set<const Route*> known;
  for (const size_t at : places_apart(other, list)) {
    known.insert(other.item(at).get());
  }
  RouteList out;
  for (const size_t at : places_apart(list, other)) {
    if (!known.contains(list.item(at).get())) {
      out.append(list.item(at));
    }
  }
  return out;
}

}  // namespace hangu::config
