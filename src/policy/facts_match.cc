#include "hangu/policy/facts_match.h"

#include <algorithm>

#include "hangu/base/assert.h"
#include "hangu/http/parameters.h"

namespace hangu::policy {

FactsMatch::FactsMatch(const Wanted& wanted, const std::vector<config::FieldMatch>& query)
    : headers_(compile(wanted.headers)),
      query_(compile(query)),
      cookies_(compile(wanted.cookies)),
      clients_(wanted.clients) {}

std::vector<FactsMatch::Field> FactsMatch::compile(const std::vector<config::FieldMatch>& fields) {
  std::vector<Field> wanted;
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

bool FactsMatch::Field::takes(std::optional<std::string_view> value) const noexcept {
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

bool FactsMatch::takes(const RequestFacts& facts) const noexcept {
  const auto all = [](const std::vector<Field>& wanted, auto value_of) {
    return std::all_of(wanted.begin(), wanted.end(),
                       [&](const Field& each) { return each.takes(value_of(each.field->name)); });
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
