// RouteTable: which route a request takes. Compiled from the config off the shards, immutable, any
// thread.
//
// A route matches when its hosts, its path and its methods all do. Of several the most specific
// wins: exact host before the longest wildcard before any host; exact path before the longest
// prefix; named methods before any method; more header fields, then more query parameters, then
// more cookies, then named clients; then the order of the config. The cost of a lookup does not
// grow with the number of routes, but for those of the same host and path.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "hangu/config/config.h"
#include "hangu/http/header_block.h"
#include "hangu/policy/cidr_set.h"

namespace hangu::policy {

enum class RouteOutcome : uint8_t {
  kFound,
  kMethodNotAllowed,  // host and path match, the method does not
  kNoRoute,
  kNoHost,  // no route takes the host at all
};

struct RouteMatchResult {
  RouteOutcome outcome = RouteOutcome::kNoRoute;
  uint32_t route = 0;      // with kFound: index in Config::routes
  std::string_view allow;  // with kMethodNotAllowed: "GET, POST"; lives as long as the table
};

/// What of a request some routes look at, beside host, path and method.
struct RequestFacts {
  const http::HeaderBlock* headers = nullptr;  // nullptr: none
  std::string_view query;                      // without '?'
  std::string_view client_ip;
};

/// One route as `explain` shows it.
struct RouteCandidate {
  uint32_t route = 0;
  bool matched = false;
  bool chosen = false;
  std::string reason;  // why, or why not
};

class RouteTable {
 public:
  RouteTable() = default;
  explicit RouteTable(const config::Config& config);

  /// `host`: lower case, without port and trailing dot; `path`: normalised.
  RouteMatchResult match(std::string_view host, std::string_view path, std::string_view method,
                         const RequestFacts& facts = {}) const noexcept;

  /// Every route in the order of precedence for this host, and why it does or does not match.
  std::vector<RouteCandidate> explain(std::string_view host, std::string_view path,
                                      std::string_view method,
                                      const RequestFacts& facts = {}) const;

 private:
  struct TextHash {
    using is_transparent = void;  // NOLINT(readability-identifier-naming): the standard's name

    size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>{}(text);
    }
  };

  template <class T>
  using ByText = std::unordered_map<std::string, T, TextHash, std::equal_to<>>;

  /// Routes with the same host and path, in order of precedence.
  struct RouteList {
    std::vector<uint32_t> routes;
    std::string allow;  // of these and of all that match wherever these do
  };

  /// The routes of one host.
  struct PathTable {
    ByText<RouteList> exact;
    ByText<RouteList> prefixes;  // without a trailing slash: "" is every path
    size_t longest_prefix = 0;
  };

  static std::string_view without_trailing_slash(std::string_view prefix);
  static bool matches_prefix(std::string_view path, std::string_view prefix);
  static std::string_view parent_path(std::string_view path);

  void insert(PathTable& table, uint32_t route);
  void order(RouteList& list) const;
  /// `host`: the key of the table; the tables of less specific hosts are found by it.
  void finish(std::string_view host, PathTable& table) const;
  std::string allow_of(std::string_view host, const PathTable& table, std::string_view path,
                       const RouteList& own) const;

  bool takes_method(uint32_t route, std::string_view method) const noexcept;
  bool takes_path(uint32_t route, std::string_view path) const noexcept;
  static bool takes_host(std::string_view pattern, std::string_view host) noexcept;
  bool takes_facts(uint32_t route, const RequestFacts& facts) const noexcept;
  bool try_list(const RouteList& list, std::string_view method, const RequestFacts& facts,
                RouteMatchResult& result) const noexcept;
  bool try_paths(const PathTable& table, std::string_view path, std::string_view method,
                 const RequestFacts& facts, RouteMatchResult& result) const noexcept;
  template <class Visit>
  bool visit_tables(std::string_view host, Visit visit) const noexcept;

  size_t host_rank(uint32_t route, std::string_view host) const;
  std::vector<uint32_t> by_precedence(std::string_view host) const;
  std::string mismatch(uint32_t route, std::string_view host, std::string_view path,
                       std::string_view method, const RequestFacts& facts) const;

  struct Entry {
    std::string name;
    config::RouteMatch match;
    CidrSet clients;
    bool plain = true;  // asks for none of RequestFacts
  };

  std::vector<Entry> routes_;
  ByText<PathTable> hosts_;
  ByText<PathTable> wildcards_;  // ".example.org"
  PathTable any_host_;
  bool has_any_host_ = false;
};

}  // namespace hangu::policy
