// RouteEntry: one route as the RouteTable looks at it. Compiled off the shards, immutable, shared
// by all generations that have the route.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "hangu/config/config.h"
#include "hangu/policy/facts_match.h"
#include "hangu/policy/path_matcher.h"

namespace hangu::policy {

class alignas(64) RouteEntry {
 public:
  RouteEntry(std::shared_ptr<const config::Route> route, uint32_t slot);

  const std::shared_ptr<const config::Route>& route() const { return route_; }

  /// Its number, see RouteTable.
  uint32_t slot() const { return slot_; }

  const PathMatcher& path() const { return path_; }

  /// Among routes of the same host and path; smaller comes first.
  uint64_t rank() const { return rank_; }

  bool takes_method(std::string_view method) const noexcept {
    return any_method_ || names_method(method);
  }

  bool takes_facts(const RequestFacts& facts) const noexcept {
    return plain_ || facts_.takes(facts);
  }

 private:
  bool names_method(std::string_view method) const noexcept;

  // What most lookups look at comes first, up to path_'s text: two cache lines that stand together.
  uint64_t rank_;
  uint32_t slot_;
  bool any_method_;
  bool plain_;  // asks for none of RequestFacts
  PathMatcher path_;
  std::shared_ptr<const config::Route> route_;
  FactsMatch facts_;
};

}  // namespace hangu::policy
