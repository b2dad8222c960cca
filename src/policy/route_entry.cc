#include "hangu/policy/route_entry.h"

#include <algorithm>

#include "hangu/base/assert.h"
#include "hangu/http/parameters.h"

namespace hangu::policy {
namespace {

/// How many, in a byte, such that more comes first.
uint64_t fewer(size_t count) {
  constexpr size_t kMax = 0xff;
  return kMax - std::min(count, kMax);
}

uint64_t rank_of(const config::RouteMatch& match) {
  uint64_t rank = match.methods.empty() ? 1 : 0;
  rank = rank << 8 | fewer(match.headers.size());
  rank = rank << 8 | fewer(match.query.size());
  rank = rank << 8 | fewer(match.cookies.size());
  return rank << 8 | (match.clients.empty() ? 1 : 0);
}

bool asks_for_nothing(const config::RouteMatch& match) {
  return match.headers.empty() && match.query.empty() && match.cookies.empty() &&
         match.clients.empty();
}

}  // namespace

RouteEntry::RouteEntry(std::shared_ptr<const config::Route> route, uint32_t slot)
    : rank_(rank_of(route->match)),
      slot_(slot),
      any_method_(route->match.methods.empty()),
      plain_(asks_for_nothing(route->match)),
      path_(route->match),
      route_(std::move(route)),
      headers_(compile(route_->match.headers)),
      query_(compile(route_->match.query)),
      cookies_(compile(route_->match.cookies)),
      clients_(route_->match.clients) {}

std::vector<RouteEntry::Wanted> RouteEntry::compile(const std::vector<config::FieldMatch>& fields) {
  std::vector<Wanted> wanted;
  for (const config::FieldMatch& field : fields) {
    wanted.push_back({.field = &field, .pattern = std::nullopt});
    if (field.how == config::ValueMatch::kRegex) {
      auto pattern = Pattern::compile(field.value);
      HANGU_ASSERT(pattern.has_value());  // the loader has checked it
      wanted.back().pattern.emplace(std::move(*pattern));
    }
  }
  return wanted;
}

bool RouteEntry::Wanted::takes(std::optional<std::string_view> value) const noexcept {
  if (!value) {
    return false;
  }
  switch (field->how) {
    case config::ValueMatch::kExact: return *value == field->value;
    case config::ValueMatch::kPrefix: return value->starts_with(field->value);
    case config::ValueMatch::kRegex: return pattern->matches(*value);
    case config::ValueMatch::kAny: return true;
  }
  return false;
}

bool RouteEntry::names_method(std::string_view method) const noexcept {
  const std::vector<std::string>& methods = route_->match.methods;
  return std::find(methods.begin(), methods.end(), method) != methods.end();
}

bool RouteEntry::has_facts(const RequestFacts& facts) const noexcept {
  const auto all = [](const std::vector<Wanted>& wanted, auto value_of) {
    return std::all_of(wanted.begin(), wanted.end(),
                       [&](const Wanted& each) { return each.takes(value_of(each.field->name)); });
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
  return all(headers_, header) && all(query_, query) && all(cookies_, cookie) &&
         (clients_.empty() || clients_.contains(facts.client_ip));
}

}  // namespace hangu::policy
