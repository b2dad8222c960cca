#include "hangu/policy/route_entry.h"

#include <algorithm>

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
      facts_({.headers = route_->match.headers,
              .cookies = route_->match.cookies,
              .clients = route_->match.clients},
             route_->match.query) {}

bool RouteEntry::names_method(std::string_view method) const noexcept {
  const std::vector<std::string>& methods = route_->match.methods;
  return std::find(methods.begin(), methods.end(), method) != methods.end();
}

}  // namespace hangu::policy
