// The part of RouteTable that talks to people: why a route matches or not, and which can never
// match.
#include <algorithm>
#include <bit>
#include <tuple>

#include <fmt/format.h>

#include "hangu/policy/route_table.h"

#include "policy/split_path.h"

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

std::string_view relation(config::ValueMatch how) {
  switch (how) {
    case config::ValueMatch::kExact: return ": ";
    case config::ValueMatch::kPrefix: return " that begins with ";
    case config::ValueMatch::kRegex: return " that matches ";
    case config::ValueMatch::kAny: return "";
  }
  return "";
}

/// "header x-a: 1, cookie b".
std::string wanted_text(const config::RouteMatch& match) {
  std::string text;
  const auto add = [&](std::string_view kind, const std::vector<config::FieldMatch>& fields) {
    for (const config::FieldMatch& field : fields) {
      text += fmt::format("{}{} {}{}{}", text.empty() ? "" : ", ", kind, field.name,
                          relation(field.how), field.value);
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

bool takes_host(std::string_view pattern, std::string_view host) {
  return pattern.starts_with("*.")
             ? host.size() > pattern.size() - 1 && host.ends_with(pattern.substr(1))
             : pattern == host;
}

/// How specifically the route names the host; smaller is more.
size_t host_rank(const config::RouteMatch& match, std::string_view host) {
  size_t best = match.hosts.empty() ? kAnyHost : kOtherHost;
  for (const std::string& pattern : match.hosts) {
    if (takes_host(pattern, host)) {
      const bool wildcard = pattern.starts_with("*.");
      best = std::min(best, wildcard ? kAnyHost - pattern.size() : 0);
    }
  }
  return best;
}

std::string path_mismatch(const PathMatcher& matcher, std::string_view path,
                          const config::RouteMatch& match) {
  switch (matcher.kind()) {
    case PathKind::kExact: return fmt::format("path \"{}\" is not {}", path, matcher.text());
    case PathKind::kPrefix:
      return fmt::format("path \"{}\" is not under {}", path, match.path_prefix);
    case PathKind::kTemplate:
      return fmt::format("path \"{}\" is not of the form {}", path, matcher.text());
    case PathKind::kRegex:
      return fmt::format("path \"{}\" does not match {}", path, matcher.text());
    case PathKind::kAny: break;
  }
  return {};
}

}  // namespace

std::vector<uint32_t> RouteTable::by_precedence(std::string_view host) const {
  std::vector<uint32_t> order = slot_of_position_;
  const auto key = [&](uint32_t slot) {
    const RouteEntry& entry = entries_[slot];
    const PathMatcher& path = entry.path();
    const size_t length = path.kind() == PathKind::kPrefix ? path.text().size() : 0;
    const Shape shape = path.kind() == PathKind::kTemplate ? Shape::of(path) : Shape{};
    return std::tuple(host_rank(entry.route()->match, host), path.kind(), shape.sort_key(),
                      SIZE_MAX - length, entry.rank());
  };
  std::stable_sort(order.begin(), order.end(),
                   [&](uint32_t a, uint32_t b) { return key(a) < key(b); });
  return order;
}

std::string RouteTable::mismatch(const RouteEntry& entry, std::string_view host,
                                 std::string_view path, std::string_view method,
                                 const RequestFacts& facts) const {
  const config::RouteMatch& match = entry.route()->match;
  if (host_rank(match, host) == kOtherHost) {
    return fmt::format("host \"{}\" is not {}{}", host, match.hosts.size() > 1 ? "one of " : "",
                       list_text(match.hosts));
  }
  if (!entry.path().takes(path)) {
    return path_mismatch(entry.path(), path, match);
  }
  if (!entry.takes_method(method)) {
    return fmt::format("method {} is not {}{}", method, match.methods.size() > 1 ? "one of " : "",
                       list_text(match.methods));
  }
  if (!entry.takes_facts(facts)) {
    return fmt::format("it asks for {}", wanted_text(match));
  }
  return {};
}

std::vector<RouteCandidate> RouteTable::explain(std::string_view host, std::string_view path,
                                                std::string_view method,
                                                const RequestFacts& facts) const {
  const RouteMatchResult winner = match(host, path, method, facts);
  std::vector<RouteCandidate> candidates;
  for (const uint32_t slot : by_precedence(host)) {
    RouteCandidate candidate{.route = slot,
                             .reason = mismatch(entries_[slot], host, path, method, facts)};
    candidate.matched = candidate.reason.empty();
    candidate.chosen =
        candidate.matched && winner.outcome == RouteOutcome::kFound && winner.route == slot;
    if (candidate.chosen) {
      candidate.reason = "the most specific match";
    } else if (candidate.matched) {
      candidate.reason = fmt::format("matches too, but {} comes first", route(winner.route)->name);
    }
    candidates.push_back(std::move(candidate));
  }
  return candidates;
}

}  // namespace hangu::policy
