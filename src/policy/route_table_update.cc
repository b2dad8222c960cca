// The part of RouteTable that builds: what differs between two lists of routes, and only that.
#include <algorithm>
#include <bit>
#include <optional>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

#include "hangu/base/list_difference.h"
#include "hangu/base/table_memory.h"
#include "hangu/policy/route_table.h"

#include "policy/split_path.h"

namespace hangu::policy {
namespace {

constexpr uint32_t kNone = UINT32_MAX;

/// What two lists do not have in common at their beginnings and ends.
struct Window {
  size_t begin = 0;
  size_t old_end = 0;
  size_t new_end = 0;
};

Window window_of(const config::RouteList& old_list, const config::RouteList& new_list) {
  const CommonEnds ends = common_ends(old_list, new_list);
  return {.begin = ends.front,
          .old_end = old_list.size() - ends.back,
          .new_end = new_list.size() - ends.back};
}

/// The longest rising part of `values`, kNone left out: for each whether it is of it.
std::vector<bool> longest_rise(const std::vector<uint32_t>& values) {
  std::vector<size_t> tails;  // of the best rise of each length: its last place
  std::vector<size_t> previous(values.size(), SIZE_MAX);
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i] == kNone) {
      continue;
    }
    const auto at =
        std::lower_bound(tails.begin(), tails.end(), values[i],
                         [&](size_t place, uint32_t value) { return values[place] < value; });
    previous[i] = at == tails.begin() ? SIZE_MAX : *(at - 1);
    if (at == tails.end()) {
      tails.push_back(i);
    } else {
      *at = i;
    }
  }
  std::vector<bool> kept(values.size(), false);
  for (size_t i = tails.empty() ? SIZE_MAX : tails.back(); i != SIZE_MAX; i = previous[i]) {
    kept[i] = true;
  }
  return kept;
}

/// For each element of the new window its position in the old list; kNone: it is new, or has moved.
std::vector<uint32_t> kept_positions(const config::RouteList& old_list,
                                     const config::RouteList& new_list, const Window& window) {
  std::unordered_map<const config::Route*, uint32_t> places;
  places.reserve(window.old_end - window.begin);
  for (size_t at = window.begin; at < window.old_end; ++at) {
    places.emplace(old_list.item(at).get(), static_cast<uint32_t>(at));
  }
  std::vector<uint32_t> positions;
  positions.reserve(window.new_end - window.begin);
  for (size_t at = window.begin; at < window.new_end; ++at) {
    const auto found = places.find(new_list.item(at).get());
    positions.push_back(found != places.end() ? found->second : kNone);
  }
  const std::vector<bool> kept = longest_rise(positions);
  for (size_t i = 0; i < positions.size(); ++i) {
    positions[i] = kept[i] ? positions[i] : kNone;
  }
  return positions;
}

}  // namespace

RouteTable::Shape RouteTable::Shape::of(const PathMatcher& path) {
  Shape shape{.segments = static_cast<uint8_t>(path.segments().size())};
  for (size_t i = 0; i < path.segments().size(); ++i) {
    const config::PathTemplate::Kind kind = path.segments()[i].kind;
    shape.literals |= kind == config::PathTemplate::Kind::kLiteral ? segment_bit(i) : 0;
    shape.rest = kind == config::PathTemplate::Kind::kRest;
  }
  return shape;
}

std::tuple<int, uint32_t, bool, int> RouteTable::Shape::sort_key() const {
  return {-std::popcount(literals), ~literals, rest, -int{segments}};
}

// --- sets -------------------------------------------------------------------------------------

bool RouteTable::before(const RouteEntry* a, const RouteEntry* b) const {
  return std::pair(a->rank(), position_of_slot_[a->slot()]) <
         std::pair(b->rank(), position_of_slot_[b->slot()]);
}

void RouteTable::add_to_set(RouteSet& set, const RouteEntry& entry) const {
  if (set.first == nullptr) {
    set.first = &entry;
    return;
  }
  const RouteEntry* other = &entry;
  if (before(other, set.first)) {
    std::swap(other, set.first);
  }
  const auto at =
      std::upper_bound(set.others.begin(), set.others.end(), other,
                       [&](const RouteEntry* a, const RouteEntry* b) { return before(a, b); });
  set.others.insert(at, other);
}

/// Whether the set is empty then.
bool RouteTable::remove_from_set(RouteSet& set, const RouteEntry& entry) {
  if (set.first == &entry) {
    set.first = set.others.empty() ? nullptr : set.others.front();
    if (!set.others.empty()) {
      set.others.erase(set.others.begin());
    }
  } else {
    std::erase(set.others, &entry);
  }
  return set.first == nullptr;
}

std::vector<RouteTable::ShapeTable> RouteTable::take_shapes(PathTable& table) {
  std::vector<ShapeTable> shapes = std::move(table.other_shapes);
  if (!table.first_shape.sets.empty()) {
    shapes.insert(shapes.begin(), std::move(table.first_shape));
  }
  return shapes;
}

/// Those that have become empty are left out.
void RouteTable::put_shapes(std::vector<ShapeTable> shapes, PathTable& table) {
  std::erase_if(shapes, [](const ShapeTable& each) { return each.sets.empty(); });
  table.first_shape = {};
  if (!shapes.empty()) {
    table.first_shape = std::move(shapes.front());
    shapes.erase(shapes.begin());
  }
  table.other_shapes = std::move(shapes);
}

/// Calls change(sets, hash, same) for the sets among which the entry's is, or change(set).
template <class Edit>
void RouteTable::change_set(PathTable& table, const RouteEntry& entry, Edit change) {
  const PathMatcher& path = entry.path();
  const auto same_text = [&](const RouteSet& set) {
    return set.first->path().text() == path.text();
  };
  switch (path.kind()) {
    case PathKind::kExact: change(table.exact, hash_of(path.text()), same_text); return;
    case PathKind::kPrefix: change(table.prefixes, hash_of(path.text()), same_text); return;
    case PathKind::kRegex: change(table.patterns); return;
    case PathKind::kAny: change(table.any); return;
    case PathKind::kTemplate: break;
  }
  const Shape shape = Shape::of(path);
  std::vector<ShapeTable> shapes = take_shapes(table);
  auto at = std::find_if(shapes.begin(), shapes.end(),
                         [&](const ShapeTable& each) { return each.shape == shape; });
  if (at == shapes.end()) {
    const auto behind = std::find_if(shapes.begin(), shapes.end(), [&](const ShapeTable& each) {
      return shape.sort_key() < each.shape.sort_key();
    });
    at = shapes.insert(behind, ShapeTable{.shape = shape, .sets = {}});
  }
  change(at->sets, hash_literals(path.segments()), [&](const RouteSet& set) {
    const auto& ours = path.segments();
    const auto& theirs = set.first->path().segments();
    return std::equal(ours.begin(), ours.end(), theirs.begin(), [](const auto& a, const auto& b) {
      return a.kind != config::PathTemplate::Kind::kLiteral || a.text == b.text;
    });
  });
  put_shapes(std::move(shapes), table);
}

namespace {

/// One call for sets that are found by their path, and for one that is alone.
template <class OfTable, class OfSet>
struct SetChange {
  template <class Sets, class Same>
  void operator()(Sets& sets, uint64_t hash, Same same) const {
    of_table(sets, hash, same);
  }

  template <class Set>
  void operator()(Set& set) const {
    of_set(set);
  }

  OfTable of_table;
  OfSet of_set;
};

}  // namespace

void RouteTable::insert(PathTable& table, const RouteEntry& entry) {
  const auto add = [&](RouteSet& set) { add_to_set(set, entry); };
  const auto add_found = [&](SegmentedTable<RouteSet>& sets, uint64_t hash, auto same) {
    add(sets.at(hash, same));
  };
  change_set(table, entry, SetChange<decltype(add_found), decltype(add)>{add_found, add});
  ++table.routes;
  if (entry.path().kind() == PathKind::kPrefix) {
    const std::string_view text = entry.path().text();
    table.longest_prefix = std::max(table.longest_prefix, text.size());
    table.prefix_depths |=
        depth_bit(static_cast<size_t>(std::count(text.begin(), text.end(), '/')));
  }
}

void RouteTable::remove(PathTable& table, const RouteEntry& entry) {
  const auto remove_one = [&](RouteSet& set) { remove_from_set(set, entry); };
  const auto remove_found = [&](SegmentedTable<RouteSet>& sets, uint64_t hash, auto same) {
    RouteSet& set = sets.at(hash, same);
    if (set.first == &entry && set.others.empty()) {
      sets.erase(hash, same);
    } else {
      remove_from_set(set, entry);
    }
  };
  change_set(table, entry,
             SetChange<decltype(remove_found), decltype(remove_one)>{remove_found, remove_one});
  --table.routes;
}

// --- hosts ------------------------------------------------------------------------------------

/// Calls edit(table) for the table of each host that the route names, a table of its own.
template <class Edit>
void RouteTable::edit_hosts(const RouteEntry& entry, Edit edit) {
  const auto edit_one = [&](HostTable& table, std::string_view host) {
    if (table == nullptr) {
      table = make_table_part<PathTable>();
      table->host = InlineText<kHostInline>(host);
    } else if (table.use_count() > 1) {
      table = make_table_part<PathTable>(*table);
    }
    edit(*table);
    return table->routes == 0;
  };
  std::vector<std::string> hosts = entry.route()->match.hosts;
  std::sort(hosts.begin(), hosts.end());
  hosts.erase(std::unique(hosts.begin(), hosts.end()), hosts.end());
  for (const std::string& name : hosts) {
    const bool wildcard = name.starts_with("*.");
    SegmentedTable<HostTable>& tables = wildcard ? wildcards_ : hosts_;
    const std::string_view key = wildcard ? std::string_view(name).substr(1) : name;
    const auto same = [&](const HostTable& table) { return table->host.view() == key; };
    if (edit_one(tables.at(hash_of(key), same), key)) {
      tables.erase(hash_of(key), same);
    }
  }
  if (hosts.empty() && edit_one(any_host_, "")) {
    any_host_.reset();
  }
}

uint32_t RouteTable::new_slot() {
  if (free_slots_.empty()) {
    entries_.append(nullptr);
    position_of_slot_.push_back(0);
    return static_cast<uint32_t>(entries_.size() - 1);
  }
  const uint32_t slot = free_slots_.back();
  free_slots_.pop_back();
  return slot;
}

/// Where routes only have other versions, in their places; nothing where one has moved as well.
std::optional<std::vector<size_t>> RouteTable::replaced_places(
    const config::RouteList& routes) const {
  if (routes.size() != routes_.size()) {
    return std::nullopt;
  }
  std::vector<size_t> places = differing_places(routes_, routes);
  std::unordered_set<const config::Route*> before;
  for (const size_t at : places) {
    before.insert(routes_.item(at).get());
  }
  const bool moved = std::any_of(places.begin(), places.end(),
                                 [&](size_t at) { return before.contains(routes.item(at).get()); });
  return moved ? std::nullopt : std::optional(std::move(places));
}

/// All slots and places stay as they are.
void RouteTable::replace(const config::RouteList& routes, const std::vector<size_t>& places,
                         Change& change) {
  std::vector<std::shared_ptr<const RouteEntry>> removed;  // alive until no set points at them
  for (const size_t at : places) {
    removed.push_back(entries_.item(slot_of_position_[at]));
    edit_hosts(*removed.back(), [&](PathTable& table) { remove(table, *removed.back()); });
  }
  for (const size_t at : places) {
    const uint32_t slot = slot_of_position_[at];
    auto entry = make_table_part<const RouteEntry>(routes.item(at), slot);
    edit_hosts(*entry, [&](PathTable& table) { insert(table, *entry); });
    entries_.set(slot, std::move(entry));
    change.added.push_back(slot);
  }
  routes_ = routes;
}

RouteTable::Change RouteTable::update(const config::RouteList& routes) {
  if (const auto places = replaced_places(routes)) {
    Change change;
    replace(routes, *places, change);
    change.removed = free_slots_;
    return change;
  }
  const Window window = window_of(routes_, routes);
  const std::vector<uint32_t> kept = kept_positions(routes_, routes, window);
  std::vector<bool> stays(window.old_end - window.begin, false);
  for (const uint32_t position : kept) {
    if (position != kNone) {
      stays[position - window.begin] = true;
    }
  }
  Change change;
  std::vector<std::shared_ptr<const RouteEntry>> removed;  // alive until no set points at them
  for (size_t at = window.begin; at < window.old_end; ++at) {
    if (!stays[at - window.begin]) {
      const uint32_t slot = slot_of_position_[at];
      removed.push_back(entries_.item(slot));
      edit_hosts(*removed.back(), [&](PathTable& table) { remove(table, *removed.back()); });
      entries_.set(slot, nullptr);
      free_slots_.push_back(slot);
    }
  }
  std::vector<uint32_t> slots(routes.size());
  std::copy_n(slot_of_position_.begin(), window.begin, slots.begin());
  std::copy(slot_of_position_.begin() + static_cast<ptrdiff_t>(window.old_end),
            slot_of_position_.end(), slots.begin() + static_cast<ptrdiff_t>(window.new_end));
  for (size_t at = window.begin; at < window.new_end; ++at) {
    const uint32_t position = kept[at - window.begin];
    slots[at] = position != kNone ? slot_of_position_[position] : new_slot();
  }
  for (size_t at = 0; at < slots.size(); ++at) {
    position_of_slot_[slots[at]] = static_cast<uint32_t>(at);
  }
  for (size_t at = window.begin; at < window.new_end; ++at) {
    if (kept[at - window.begin] == kNone) {
      auto entry = make_table_part<const RouteEntry>(routes.item(at), slots[at]);
      edit_hosts(*entry, [&](PathTable& table) { insert(table, *entry); });
      entries_.set(slots[at], std::move(entry));
      change.added.push_back(slots[at]);
    }
  }
  change.removed = free_slots_;
  slot_of_position_ = std::move(slots);
  routes_ = routes;
  return change;
}

}  // namespace hangu::policy
