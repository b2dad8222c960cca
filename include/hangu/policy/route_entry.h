// RouteEntry: one route as the RouteTable looks at it. Compiled off the shards, immutable, shared
// by all generations that have the route.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "hangu/base/pattern.h"
#include "hangu/config/config.h"
#include "hangu/http/header_block.h"
#include "hangu/policy/cidr_set.h"
#include "hangu/policy/path_matcher.h"

namespace hangu::policy {

/// What of a request some routes look at, beside host, path and method.
struct RequestFacts {
  const http::HeaderBlock* headers = nullptr;  // nullptr: none
  std::string_view query;                      // without '?'
  std::string_view client_ip;
};

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

  bool takes_facts(const RequestFacts& facts) const noexcept { return plain_ || has_facts(facts); }

 private:
  /// Field, cookie or parameter, with its expression compiled.
  struct Wanted {
    const config::FieldMatch* field;
    std::optional<Pattern> pattern;

    bool takes(std::optional<std::string_view> value) const noexcept;
  };

  static std::vector<Wanted> compile(const std::vector<config::FieldMatch>& fields);
  bool names_method(std::string_view method) const noexcept;
  bool has_facts(const RequestFacts& facts) const noexcept;

  // What most lookups look at comes first, up to path_'s text: two cache lines that stand together.
  uint64_t rank_;
  uint32_t slot_;
  bool any_method_;
  bool plain_;  // asks for none of RequestFacts
  PathMatcher path_;
  std::shared_ptr<const config::Route> route_;
  std::vector<Wanted> headers_;
  std::vector<Wanted> query_;
  std::vector<Wanted> cookies_;
  CidrSet clients_;
};

}  // namespace hangu::policy
