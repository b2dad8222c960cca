// RouteTable: which route a request takes. Compiled from the config off the shards, immutable once
// it is published, any thread.
//
// A route matches when its hosts, its path and its methods all do. Of several the most specific
// wins: exact host before the longest wildcard before any host; then the path: exact, then
// templates (more literal segments first; of as many the one whose literals come earlier), then the
// longest prefix, then regular expressions, then any path; named methods before any method; more
// header fields, then more query parameters, then more cookies, then named clients; then the order
// of the config. The cost of a lookup does not grow with the number of routes, but for those of the
// same host and path, for the shapes of templates of a host (where the captures are), and for its
// regular expressions.
//
// A copy shares everything with its original; update() then makes anew what differs, and no more.
// So a route has a slot: a number that it keeps while it is unchanged, whatever comes and goes
// around it. In a table made at once, not by update(), it is the route's index in the config.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "hangu/base/inline_text.h"
#include "hangu/base/shared_list.h"
#include "hangu/config/config.h"
#include "hangu/policy/route_entry.h"
#include "hangu/policy/segmented_table.h"

namespace hangu::policy {

enum class RouteOutcome : uint8_t {
  kFound,
  kMethodNotAllowed,  // host and path match, the method does not
  kNoRoute,
  kNoHost,  // no route takes the host at all
};

struct RouteMatchResult {
  RouteOutcome outcome = RouteOutcome::kNoRoute;
  uint32_t route = 0;                   // with kFound: its slot
  const PathMatcher* captor = nullptr;  // with kFound: its path if that has captures
};

/// One route as `explain` shows it.
struct RouteCandidate {
  uint32_t route = 0;  // its slot
  bool matched = false;
  bool chosen = false;
  std::string reason;  // why, or why not
};

class RouteTable {
 public:
  /// What update() made of the slots.
  struct Change {
    std::vector<uint32_t> added;    // they hold another route than before
    std::vector<uint32_t> removed;  // they hold none now
  };

  RouteTable() = default;

  explicit RouteTable(const config::Config& config) { update(config.routes); }

  /// Routes that are the same objects as before, in the same order, cost nothing.
  Change update(const config::RouteList& routes);

  /// As many as there are, free ones included.
  size_t slots() const { return entries_.size(); }

  bool holds_route(uint32_t slot) const { return entries_.item(slot) != nullptr; }

  /// Of a slot that holds one.
  const std::shared_ptr<const config::Route>& route(uint32_t slot) const {
    return entries_[slot].route();
  }

  /// `host`: lower case, without port and trailing dot; `path`: normalised.
  RouteMatchResult match(std::string_view host, std::string_view path, std::string_view method,
                         const RequestFacts& facts = {}) const noexcept;

  /// The methods of all routes that take everything of the request but its method, as the field
  /// Allow has them: "GET, POST". Written to `text`; those that do not fit are left out.
  std::string_view allowed_methods(std::string_view host, std::string_view path,
                                   const RequestFacts& facts, std::span<char> text) const noexcept;

  /// Every route in the order of precedence for this host, and why it does or does not match.
  std::vector<RouteCandidate> explain(std::string_view host, std::string_view path,
                                      std::string_view method,
                                      const RequestFacts& facts = {}) const;

 private:
  /// Routes with the same host and path, in order of precedence. The entries are in entries_.
  struct RouteSet {
    const RouteEntry* first = nullptr;
    std::vector<const RouteEntry*> others;
  };

  /// Where the literals of templates are: those of the same shape are found by their literals.
  struct Shape {
    uint32_t literals = 0;  // the upper bit is the first segment
    uint8_t segments = 0;
    bool rest = false;

    static Shape of(const PathMatcher& path);
    bool operator==(const Shape&) const = default;
    /// Smaller comes first.
    std::tuple<int, uint32_t, bool, int> sort_key() const;
  };

  struct ShapeTable {
    Shape shape;
    SegmentedTable<RouteSet> sets;
  };

  static constexpr size_t kHostInline = 52;  // so that it fills a cache line

  /// The routes of one host. In the order in which most lookups look at it.
  struct alignas(64) PathTable {
    InlineText<kHostInline> host;  // ".example.org" of a wildcard
    size_t longest_prefix = 0;     // that there ever was
    uint64_t prefix_depths = 0;    // as many slashes, as bits; the last one for all beyond
    SegmentedTable<RouteSet> prefixes;
    SegmentedTable<RouteSet> exact;
    ShapeTable first_shape;                // without sets: there are no templates
    std::vector<ShapeTable> other_shapes;  // in order of precedence
    RouteSet patterns;                     // one set, though each has a path of its own
    RouteSet any;
    size_t routes = 0;
  };

  using HostTable = std::shared_ptr<PathTable>;

  // route_table_update.cc
  static std::vector<ShapeTable> take_shapes(PathTable& table);
  static void put_shapes(std::vector<ShapeTable> shapes, PathTable& table);
  bool before(const RouteEntry* a, const RouteEntry* b) const;
  template <class Edit>
  void change_set(PathTable& table, const RouteEntry& entry, Edit change);
  void add_to_set(RouteSet& set, const RouteEntry& entry) const;
  static bool remove_from_set(RouteSet& set, const RouteEntry& entry);
  void insert(PathTable& table, const RouteEntry& entry);
  void remove(PathTable& table, const RouteEntry& entry);
  template <class Edit>
  void edit_hosts(const RouteEntry& entry, Edit edit);
  uint32_t new_slot();
  std::optional<std::vector<size_t>> replaced_places(const config::RouteList& routes) const;
  void replace(const config::RouteList& routes, const std::vector<size_t>& places, Change& change);

  static uint64_t hash_of(std::string_view text) noexcept;
  static const PathTable* find_host(const SegmentedTable<HostTable>& hosts,
                                    std::string_view host) noexcept;
  template <class Visit>
  static bool visit_templates(const PathTable& table, std::string_view path, Visit visit) noexcept;
  template <class Visit>
  static bool visit_prefixes(const PathTable& table, std::string_view path, Visit visit) noexcept;
  template <class Visit>
  static bool visit_paths(const PathTable& table, std::string_view path, Visit visit) noexcept;
  template <class Visit>
  bool visit_tables(std::string_view host, Visit visit) const noexcept;

  // route_explain.cc
  std::vector<uint32_t> by_precedence(std::string_view host) const;
  std::string mismatch(const RouteEntry& entry, std::string_view host, std::string_view path,
                       std::string_view method, const RequestFacts& facts) const;

  config::RouteList routes_;                // as in the config
  std::vector<uint32_t> slot_of_position_;  // as routes_
  std::vector<uint32_t> position_of_slot_;
  SharedList<RouteEntry> entries_;  // by slot; null where it is free
  std::vector<uint32_t> free_slots_;
  SegmentedTable<HostTable> hosts_;
  SegmentedTable<HostTable> wildcards_;
  HostTable any_host_;
};

}  // namespace hangu::policy
