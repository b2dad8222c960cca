#include "admin/explain_split.h"

#include <algorithm>

#include <fmt/format.h>

#include "hangu/http/parameters.h"
#include "hangu/policy/facts_match.h"
#include "hangu/policy/release_split.h"
#include "hangu/policy/request_hash.h"
#include "hangu/policy/traffic_split.h"

namespace hangu::admin {
namespace {

using policy::TrafficSplit;

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
    case Kind::kHeader: return request.header(part.name);
    case Kind::kCookie: return request.cookie(part.name);
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

/// Whom a bucket belongs to.
class Owners {
 public:
  Owners(const config::Split& split, std::optional<uint32_t> release)
      : split_(weights_of(split, /*others=*/false)) {
    if (release) {
      const auto to =
          std::find_if(split.upstreams.begin(), split.upstreams.end(),
                       [&](const auto& part) { return part.upstream == split.ramp.to; });
      release_.emplace(weights_of(split, /*others=*/true),
                       static_cast<size_t>(to - split.upstreams.begin()));
      share_ = *release;
    }
  }

  size_t share_of(uint32_t bucket) const {
    return release_ ? release_->share_of(bucket, share_) : split_.share_of(bucket);
  }

 private:
  /// `others`: without what is being released.
  static std::vector<uint32_t> weights_of(const config::Split& split, bool others) {
    std::vector<uint32_t> weights;
    for (const config::Split::Part& part : split.upstreams) {
      weights.push_back(others && part.upstream == split.ramp.to ? 0 : part.weight);
    }
    return weights;
  }

  TrafficSplit split_;
  std::optional<policy::ReleaseSplit> release_;
  uint32_t share_ = 0;
};

/// The first share with a rule for such requests, as far as it does not ask who the client is.
std::optional<size_t> ruled_share(const config::Split& split, const AskedRequest& request) {
  for (size_t i = 0; i < split.upstreams.size(); ++i) {
    for (const config::SplitRule& rule : split.upstreams[i].rules) {
      const policy::FactsMatch facts(
          {.headers = rule.headers, .cookies = rule.cookies, .clients = rule.clients}, {});
      if (rule.who.empty() && facts.takes(request.facts)) {
        return i;
      }
    }
  }
  return std::nullopt;
}

SplitChoice choose(const config::Config& config, const config::Route& route,
                   const AskedRequest& request, std::optional<uint32_t> release) {
  const config::Split& split = route.split;
  const Owners shares(split, release);
  if (!split.choice.header.empty()) {
    if (const auto named = named_share(config, split, request.header(split.choice.header))) {
      return {named, fmt::format("header {} names it", split.choice.header)};
    }
  }
  if (!split.choice.cookie.empty()) {
    if (const auto named = named_share(config, split, request.cookie(split.choice.cookie))) {
      return {named, fmt::format("cookie {} names it", split.choice.cookie)};
    }
  }
  if (const auto ruled = ruled_share(split, request)) {
    return {ruled, "one of its rules takes the request"};
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
    const auto value = request.cookie(split.sticky_cookie);
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
                         const AskedRequest& request, std::optional<uint32_t> release) {
  SplitChoice choice = choose(config, route, request, release);
  // Nobody proves anything here.
  for (const config::Split::Part& part : route.split.upstreams) {
    const bool ruled = std::any_of(part.rules.begin(), part.rules.end(),
                                   [](const auto& rule) { return !rule.who.empty(); });
    if (!part.who.empty() || ruled) {
      choice.reason +=
          fmt::format("; some clients go to {}: see its `{}`", config.upstreams[part.upstream].name,
                      part.who.empty() ? "rules" : "for");
    }
  }
  return choice;
}

ReleaseShown release_of(const config::Config& config, const config::Route& route,
                        const std::vector<control::ReleaseStatus>& known) {
  const std::string& upstream = config.upstreams[route.split.ramp.to].name;
  for (const control::ReleaseStatus& each : known) {
    if (each.route == route.name && each.upstream == upstream) {
      return {each.state.share, std::string(policy::to_string(each.state.stage))};
    }
  }
  return {policy::buckets_of(route.split.ramp.from), "as it begins"};
}

}  // namespace hangu::admin
