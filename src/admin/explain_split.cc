#include "admin/explain_split.h"

#include <fmt/format.h>

#include "hangu/http/parameters.h"
#include "hangu/policy/request_hash.h"
#include "hangu/policy/traffic_split.h"

namespace hangu::admin {
namespace {

using policy::TrafficSplit;

std::optional<std::string_view> header(const AskedRequest& request, std::string_view name) {
  const http::Header* found =
      request.facts.headers != nullptr ? request.facts.headers->find(name) : nullptr;
  return found != nullptr ? std::optional(found->value()) : std::nullopt;
}

std::optional<std::string_view> cookie(const AskedRequest& request, std::string_view name) {
  return request.facts.headers != nullptr ? http::cookie(*request.facts.headers, name)
                                          : std::nullopt;
}

std::optional<std::string_view> value_of(const config::KeyPart& part, const config::Route& route,
                                         const AskedRequest& request) {
  using Kind = config::KeyPart::Kind;
  switch (part.kind) {
    case Kind::kClientIp:
      return request.facts.client_ip.empty() ? std::nullopt
                                             : std::optional(request.facts.client_ip);
    case Kind::kHost: return request.host;
    case Kind::kRoute: return route.name;
    case Kind::kMethod: return request.method;
    case Kind::kPath: return request.path;
    case Kind::kCapture: return request.captures.find(part.name);
    case Kind::kConsumer:
    case Kind::kClaim:
    case Kind::kTlsServerName:
    case Kind::kTlsClient: return std::nullopt;  // nothing of a connection is known here
    case Kind::kHeader: return header(request, part.name);
    case Kind::kCookie: return cookie(request, part.name);
    case Kind::kQuery: return http::query_parameter(request.facts.query, part.name);
  }
  return std::nullopt;
}

/// The share that the value names.
std::optional<size_t> named_share(const config::Config& config, const config::Split& split,
                                  std::optional<std::string_view> value) {
  for (size_t i = 0; value && i < split.upstreams.size(); ++i) {
    if (config.upstreams[split.upstreams[i].upstream].name == *value) {
      return i;
    }
  }
  return std::nullopt;
}

TrafficSplit split_of(const config::Split& split) {
  std::vector<uint32_t> weights;
  for (const config::Split::Part& part : split.upstreams) {
    weights.push_back(part.weight);
  }
  return TrafficSplit(weights);
}

SplitChoice choose(const config::Config& config, const config::Route& route,
                   const AskedRequest& request) {
  const config::Split& split = route.split;
  const TrafficSplit shares = split_of(split);
  if (!split.choice.header.empty()) {
    if (const auto named = named_share(config, split, header(request, split.choice.header))) {
      return {named, fmt::format("header {} names it", split.choice.header)};
    }
  }
  if (!split.choice.cookie.empty()) {
    if (const auto named = named_share(config, split, cookie(request, split.choice.cookie))) {
      return {named, fmt::format("cookie {} names it", split.choice.cookie)};
    }
  }
  policy::HashedKey key{.hash = TrafficSplit::kSeed, .whole = !split.key.empty()};
  for (const config::KeyPart& part : split.key) {
    policy::hash_part(part.kind, value_of(part, route, request), {}, key);
  }
  if (key.whole) {
    const uint32_t bucket = TrafficSplit::bucket_of(key.hash);
    return {shares.share_of(bucket),
            fmt::format("its key is in bucket {} of {}", bucket, TrafficSplit::kBuckets)};
  }
  const std::string_view missing = split.key.empty() ? "there is no key" : "it lacks the key";
  if (!split.sticky_cookie.empty()) {
    const auto value = cookie(request, split.sticky_cookie);
    if (const auto bucket = value ? TrafficSplit::parse_bucket(*value) : std::nullopt) {
      return {shares.share_of(*bucket),
              fmt::format("cookie {} says bucket {} of {}", split.sticky_cookie, *bucket,
                          TrafficSplit::kBuckets)};
    }
    return {std::nullopt,
            fmt::format("at random, and kept by cookie {}: {}", split.sticky_cookie, missing)};
  }
  return {std::nullopt, fmt::format("at random: {}", missing)};
}

}  // namespace

SplitChoice choose_share(const config::Config& config, const config::Route& route,
                         const AskedRequest& request) {
  SplitChoice choice = choose(config, route, request);
  // Nobody proves anything here.
  for (const config::Split::Part& part : route.split.upstreams) {
    if (!part.who.empty()) {
      choice.reason += fmt::format("; some clients go to {}: see its `for`",
                                   config.upstreams[part.upstream].name);
    }
  }
  return choice;
}

}  // namespace hangu::admin
