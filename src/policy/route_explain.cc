// The part of RouteTable that talks to people: why a route matches or not, and which can never
// match.
#include <algorithm>
#include <tuple>

#include <fmt/format.h>

#include "hangu/policy/route_table.h"

namespace hangu::policy {
namespace {

constexpr size_t kAnyHost = 10'000;    // behind every wildcard
constexpr size_t kOtherHost = 20'000;  // behind all that match

std::string list_text(const std::vector<std::string>& items) {
  std::string text;
  for (const std::string& item : items) {
    text += text.empty() ? item : ", " + item;
  }
  return text;
}

/// "header x-a: 1, cookie b".
std::string wanted_text(const config::RouteMatch& match) {
  std::string text;
  const auto add = [&](std::string_view kind, const std::vector<config::FieldMatch>& fields) {
    for (const config::FieldMatch& field : fields) {
      text += fmt::format("{}{} {}{}{}", text.empty() ? "" : ", ", kind, field.name,
                          field.any ? "" : ": ", field.value);
    }
  };
  add("header", match.headers);
  add("query", match.query);
  add("cookie", match.cookies);
  for (const config::Cidr& network : match.clients) {
    text += fmt::format("{}client {}", text.empty() ? "" : ", ", network.text);
  }
  return text;
}

}  // namespace

/// How specifically the route names the host; smaller is more.
size_t RouteTable::host_rank(uint32_t route, std::string_view host) const {
  const std::vector<std::string>& patterns = routes_[route].match.hosts;
  size_t best = patterns.empty() ? kAnyHost : kOtherHost;
  for (const std::string& pattern : patterns) {
    if (takes_host(pattern, host)) {
      const bool wildcard = pattern.starts_with("*.");
      best = std::min(best, wildcard ? kAnyHost - pattern.size() : 0);
    }
  }
  return best;
}

std::vector<uint32_t> RouteTable::by_precedence(std::string_view host) const {
  std::vector<uint32_t> order(routes_.size());
  for (uint32_t i = 0; i < order.size(); ++i) {
    order[i] = i;
  }
  const auto key = [&](uint32_t route) {
    const config::RouteMatch& match = routes_[route].match;
    const bool exact = !match.path_exact.empty();
    const size_t length = without_trailing_slash(match.path_prefix).size();
    return std::tuple(host_rank(route, host), !exact, exact ? size_t{0} : SIZE_MAX - length,
                      match.methods.empty(), SIZE_MAX - match.headers.size(),
                      SIZE_MAX - match.query.size(), SIZE_MAX - match.cookies.size(),
                      match.clients.empty());
  };
  std::stable_sort(order.begin(), order.end(),
                   [&](uint32_t a, uint32_t b) { return key(a) < key(b); });
  return order;
}

std::string RouteTable::mismatch(uint32_t route, std::string_view host, std::string_view path,
                                 std::string_view method, const RequestFacts& facts) const {
  const config::RouteMatch& match = routes_[route].match;
  if (host_rank(route, host) == kOtherHost) {
    return fmt::format("host \"{}\" is not {}{}", host, match.hosts.size() > 1 ? "one of " : "",
                       list_text(match.hosts));
  }
  if (!takes_path(route, path)) {
    return match.path_exact.empty()
               ? fmt::format("path \"{}\" is not under {}", path, match.path_prefix)
               : fmt::format("path \"{}\" is not {}", path, match.path_exact);
  }
  if (!takes_method(route, method)) {
    return fmt::format("method {} is not {}{}", method, match.methods.size() > 1 ? "one of " : "",
                       list_text(match.methods));
  }
  if (!takes_facts(route, facts)) {
    return fmt::format("it asks for {}", wanted_text(match));
  }
  return {};
}

std::vector<RouteCandidate> RouteTable::explain(std::string_view host, std::string_view path,
                                                std::string_view method,
                                                const RequestFacts& facts) const {
  const RouteMatchResult winner = match(host, path, method, facts);
  std::vector<RouteCandidate> candidates;
  for (const uint32_t route : by_precedence(host)) {
    RouteCandidate candidate{.route = route, .reason = mismatch(route, host, path, method, facts)};
    candidate.matched = candidate.reason.empty();
    candidate.chosen =
        candidate.matched && winner.outcome == RouteOutcome::kFound && winner.route == route;
    if (candidate.chosen) {
      candidate.reason = "the most specific match";
    } else if (candidate.matched) {
      candidate.reason = fmt::format("matches too, but {} comes first", routes_[winner.route].name);
    }
    candidates.push_back(std::move(candidate));
  }
  return candidates;
}

}  // namespace hangu::policy
