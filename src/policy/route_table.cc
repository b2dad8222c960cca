#include "hangu/policy/route_table.h"

#include <algorithm>
#include <optional>
#include <tuple>

#include "hangu/http/parameters.h"

namespace hangu::policy {
namespace {

/// Among routes of the same host and path; smaller comes first.
auto field_rank(const config::RouteMatch& match) {
  return std::tuple(match.methods.empty(), -static_cast<ptrdiff_t>(match.headers.size()),
                    -static_cast<ptrdiff_t>(match.query.size()),
                    -static_cast<ptrdiff_t>(match.cookies.size()), match.clients.empty());
}

}  // namespace

// --- building ---------------------------------------------------------------------------------

RouteTable::RouteTable(const config::Config& config) {
  for (const config::Route& route : config.routes) {
    const config::RouteMatch& match = route.match;
    const bool plain = match.headers.empty() && match.query.empty() && match.cookies.empty() &&
                       match.clients.empty();
    routes_.push_back({.name = route.name,
                       .match = match,
                       .clients = policy::CidrSet(match.clients),
                       .plain = plain});
  }
  for (uint32_t route = 0; route < routes_.size(); ++route) {
    const std::vector<std::string>& hosts = routes_[route].match.hosts;
    for (const std::string& host : hosts) {
      const bool wildcard = host.starts_with("*.");
      insert(wildcard ? wildcards_[host.substr(1)] : hosts_[host], route);
    }
    if (hosts.empty()) {
      has_any_host_ = true;
      insert(any_host_, route);
    }
  }
  for (ByText<PathTable>* tables : {&hosts_, &wildcards_}) {
    for (auto& [host, table] : *tables) {
      finish(host, table);
    }
  }
  finish({}, any_host_);
}

std::string_view RouteTable::without_trailing_slash(std::string_view prefix) {
  return prefix.ends_with('/') ? prefix.substr(0, prefix.size() - 1) : prefix;
}

void RouteTable::insert(PathTable& table, uint32_t route) {
  const config::RouteMatch& match = routes_[route].match;
  if (!match.path_exact.empty()) {
    table.exact[match.path_exact].routes.push_back(route);
    return;
  }
  const std::string_view prefix = without_trailing_slash(match.path_prefix);
  table.prefixes[std::string(prefix)].routes.push_back(route);
  table.longest_prefix = std::max(table.longest_prefix, prefix.size());
}

void RouteTable::order(RouteList& list) const {
  std::stable_sort(list.routes.begin(), list.routes.end(), [&](uint32_t a, uint32_t b) {
    return field_rank(routes_[a].match) < field_rank(routes_[b].match);
  });
}

void RouteTable::finish(std::string_view host, PathTable& table) const {
  for (ByText<RouteList>* lists : {&table.exact, &table.prefixes}) {
    for (auto& [path, list] : *lists) {
      order(list);
      list.allow = allow_of(host, table, path, list);
    }
  }
}

/// The methods of all routes that match wherever those of `own`, which are at `path` of `table`,
/// do.
std::string RouteTable::allow_of(std::string_view host, const PathTable& table,
                                 std::string_view path, const RouteList& own) const {
  std::vector<std::string_view> methods;
  const auto gather = [&](const RouteList& list) {
    for (const uint32_t route : list.routes) {
      const std::vector<std::string>& more = routes_[route].match.methods;
      methods.insert(methods.end(), more.begin(), more.end());
    }
  };
  const auto own_exact = table.exact.find(path);
  const bool is_exact = own_exact != table.exact.end() && &own_exact->second == &own;
  const auto gather_table = [&](const PathTable& where) {
    if (const auto found = where.exact.find(path); is_exact && found != where.exact.end()) {
      gather(found->second);
    }
    for (std::string_view prefix = path;; prefix = parent_path(prefix)) {
      if (const auto found = where.prefixes.find(prefix); found != where.prefixes.end()) {
        gather(found->second);
      }
      if (prefix.empty()) {
        return;
      }
    }
  };
  gather_table(table);
  visit_tables(host, [&](const PathTable& where) {
    if (&where != &table) {
      gather_table(where);
    }
    return false;
  });
  std::sort(methods.begin(), methods.end());
  methods.erase(std::unique(methods.begin(), methods.end()), methods.end());
  std::string allow;
  for (const std::string_view method : methods) {
    allow += allow.empty() ? "" : ", ";
    allow += method;
  }
  return allow;
}

// --- matching ---------------------------------------------------------------------------------

bool RouteTable::matches_prefix(std::string_view path, std::string_view prefix) {
  prefix = without_trailing_slash(prefix);
  return path.starts_with(prefix) &&
         (path.size() == prefix.size() || path[prefix.size()] == '/' || prefix.empty());
}

bool RouteTable::takes_host(std::string_view pattern, std::string_view host) noexcept {
  return pattern.starts_with("*.")
             ? host.size() > pattern.size() - 1 && host.ends_with(pattern.substr(1))
             : pattern == host;
}

bool RouteTable::takes_method(uint32_t route, std::string_view method) const noexcept {
  const std::vector<std::string>& methods = routes_[route].match.methods;
  return methods.empty() || std::find(methods.begin(), methods.end(), method) != methods.end();
}

bool RouteTable::takes_path(uint32_t route, std::string_view path) const noexcept {
  const config::RouteMatch& match = routes_[route].match;
  return match.path_exact.empty() ? matches_prefix(path, match.path_prefix)
                                  : path == match.path_exact;
}

bool RouteTable::takes_facts(uint32_t route, const RequestFacts& facts) const noexcept {
  const Entry& entry = routes_[route];
  if (entry.plain) {
    return true;
  }
  const auto has = [](const std::vector<config::FieldMatch>& wanted, auto value_of) {
    return std::all_of(wanted.begin(), wanted.end(), [&](const config::FieldMatch& field) {
      const std::optional<std::string_view> value = value_of(field.name);
      return value && (field.any || *value == field.value);
    });
  };
  const auto header = [&](std::string_view name) -> std::optional<std::string_view> {
    const http::Header* found = facts.headers != nullptr ? facts.headers->find(name) : nullptr;
    return found != nullptr ? std::optional(found->value()) : std::nullopt;
  };
  const auto query = [&](std::string_view name) {
    return http::query_parameter(facts.query, name);
  };
  const auto cookie = [&](std::string_view name) -> std::optional<std::string_view> {
    return facts.headers != nullptr ? http::cookie(*facts.headers, name) : std::nullopt;
  };
  return has(entry.match.headers, header) && has(entry.match.query, query) &&
         has(entry.match.cookies, cookie) &&
         (entry.clients.empty() || entry.clients.contains(facts.client_ip));
}

bool RouteTable::try_list(const RouteList& list, std::string_view method, const RequestFacts& facts,
                          RouteMatchResult& result) const noexcept {
  bool other_method = false;
  for (const uint32_t route : list.routes) {
    if (!takes_facts(route, facts)) {
      continue;
    }
    if (takes_method(route, method)) {
      result = {.outcome = RouteOutcome::kFound, .route = route, .allow = {}};
      return true;
    }
    other_method = true;
  }
  if (other_method && result.outcome != RouteOutcome::kMethodNotAllowed) {
    result = {.outcome = RouteOutcome::kMethodNotAllowed, .route = 0, .allow = list.allow};
  }
  return false;
}

/// "/a/b/c" → "/a/b" → "/a" → "". Never of "".
std::string_view RouteTable::parent_path(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view{} : path.substr(0, slash);
}

bool RouteTable::try_paths(const PathTable& table, std::string_view path, std::string_view method,
                           const RequestFacts& facts, RouteMatchResult& result) const noexcept {
  if (!table.exact.empty()) {
    if (const auto found = table.exact.find(path);
        found != table.exact.end() && try_list(found->second, method, facts, result)) {
      return true;
    }
  }
  if (table.prefixes.empty()) {
    return false;
  }
  std::string_view prefix = path;
  if (prefix.size() > table.longest_prefix) {
    // Begin at the last border that a configured prefix can reach: a long path costs nothing.
    prefix = path.substr(0, table.longest_prefix + 1);
    prefix = prefix.ends_with('/') ? prefix.substr(0, prefix.size() - 1) : parent_path(prefix);
  }
  while (true) {
    if (const auto found = table.prefixes.find(prefix);
        found != table.prefixes.end() && try_list(found->second, method, facts, result)) {
      return true;
    }
    if (prefix.empty()) {
      return false;
    }
    prefix = parent_path(prefix);
  }
}

/// Calls visit(table) for the tables that take `host`, the most specific first, until it returns
/// true.
template <class Visit>
bool RouteTable::visit_tables(std::string_view host, Visit visit) const noexcept {
  if (const auto found = hosts_.find(host); found != hosts_.end() && visit(found->second)) {
    return true;
  }
  if (!wildcards_.empty()) {
    for (size_t dot = host.find('.'); dot != std::string_view::npos;
         dot = host.find('.', dot + 1)) {
      const auto found = wildcards_.find(host.substr(dot));
      if (dot != 0 && found != wildcards_.end() && visit(found->second)) {
        return true;
      }
    }
  }
  return has_any_host_ && visit(any_host_);
}

RouteMatchResult RouteTable::match(std::string_view host, std::string_view path,
                                   std::string_view method,
                                   const RequestFacts& facts) const noexcept {
  RouteMatchResult result;
  bool host_known = false;
  visit_tables(host, [&](const PathTable& table) {
    host_known = true;
    return try_paths(table, path, method, facts, result);
  });
  if (!host_known) {
    result.outcome = RouteOutcome::kNoHost;
  }
  return result;
}

}  // namespace hangu::policy
