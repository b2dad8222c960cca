#include "hangu/filter/split_filter.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "hangu/filter/principal.h"
#include "hangu/filter/stream.h"
#include "hangu/http/grpc.h"
#include "hangu/http/parameters.h"

namespace hangu::filter {
namespace {

std::vector<uint32_t> weights_of(const config::Split& split) {
  std::vector<uint32_t> weights;
  for (const config::Split::Part& part : split.upstreams) {
    weights.push_back(part.weight);
  }
  return weights;
}

constexpr std::string_view kSecure = "; Secure";

/// Of those that are not being released.
std::vector<uint32_t> other_weights(const config::Split& split) {
  std::vector<uint32_t> weights = weights_of(split);
  for (size_t i = 0; i < weights.size(); ++i) {
    weights[i] = split.upstreams[i].upstream == split.ramp.to ? 0 : weights[i];
  }
  return weights;
}

/// The first share with the upstream that is being released.
size_t released_share(const config::Split& split) {
  const auto found = std::find_if(split.upstreams.begin(), split.upstreams.end(),
                                  [&](const auto& part) { return part.upstream == split.ramp.to; });
  return static_cast<size_t>(found - split.upstreams.begin());
}

/// Not by the client's doing, whose errors have ended in 4xx.
bool has_failed(const StreamInfo& info) noexcept {
  constexpr uint16_t kClientError = 400;
  constexpr uint16_t kServerError = 500;
  const bool broke_off = info.failure == StreamFailure::kUpstream && info.status < kClientError;
  return info.status >= kServerError || broke_off ||
         (info.grpc_ended &&
          http::is_server_error(static_cast<http::GrpcStatus>(info.grpc_status)));
}

}  // namespace

SplitFilter::SplitFilter(std::vector<Share> shares, const config::Split& split,
                         std::shared_ptr<const policy::ReleaseShare> release)
    : shares_(std::move(shares)),
      split_(weights_of(split)),
      choice_(split.choice),
      cookie_(split.sticky_cookie),
      cookie_attributes_("; Path=/; HttpOnly; SameSite=Lax") {
  if (release != nullptr) {
    release_.emplace(Release{policy::ReleaseSplit(other_weights(split), released_share(split)),
                             std::move(release)});
  }
  compile_rules(split);
  if (!split.key.empty()) {
    key_.emplace(split.key, RequestKey::Prefixes{}, policy::TrafficSplit::kSeed);
  }
  if (split.sticky_max_age != Duration::zero()) {
    const auto seconds =
        std::chrono::duration_cast<std::chrono::seconds>(split.sticky_max_age).count();
    cookie_attributes_ += fmt::format("; Max-Age={}", seconds);
  }
}

void SplitFilter::compile_rules(const config::Split& split) {
  for (uint32_t share = 0; share < split.upstreams.size(); ++share) {
    const config::Split::Part& part = split.upstreams[share];
    if (!part.who.empty()) {
      rules_.push_back({.share = share, .who = &part.who, .facts = std::nullopt});
    }
    for (const config::SplitRule& rule : part.rules) {
      rules_.push_back(
          {.share = share,
           .who = rule.who.empty() ? nullptr : &rule.who,
           .facts = policy::FactsMatch(
               {.headers = rule.headers, .cookies = rule.cookies, .clients = rule.clients}, {})});
    }
  }
}

uint8_t SplitFilter::hooks() const {
  return kRequestHeaders | kStreamEnd | (cookie_.empty() ? 0 : kResponseHeaders);
}

/// The upstream that the request asks for; kNone: none, or none of these.
uint32_t SplitFilter::named(const Stream& stream) const noexcept {
  const auto find = [&](std::string_view wanted) -> uint32_t {
    for (uint32_t i = 0; i < shares_.size(); ++i) {
      if (shares_[i].name == wanted) {
        return i;
      }
    }
    return kNone;
  };
  const http::HeaderBlock& headers = stream.request.headers;
  if (!choice_.header.empty()) {
    const http::Header* const header = headers.find(choice_.header);
    if (const uint32_t share = header != nullptr ? find(header->value()) : kNone; share != kNone) {
      return share;
    }
  }
  const auto cookie = choice_.cookie.empty() ? std::nullopt : http::cookie(headers, choice_.cookie);
  return cookie ? find(*cookie) : kNone;
}

/// The first that is there for the client or has a rule that takes the request; kNone: none is.
uint32_t SplitFilter::reserved(const Stream& stream) const noexcept {
  if (rules_.empty()) {
    return kNone;
  }
  const policy::RequestFacts facts{
      .headers = &stream.request.headers, .query = {}, .client_ip = stream.info.client_ip};
  for (const Rule& rule : rules_) {
    if ((rule.who == nullptr || matches(*rule.who, stream.kept.principal)) &&
        (!rule.facts || rule.facts->takes(facts))) {
      return rule.share;
    }
  }
  return kNone;
}

uint32_t SplitFilter::bucket(Stream& stream) const noexcept {
  using policy::TrafficSplit;
  const RequestKey::Hashed key = key_ ? key_->of(stream) : RequestKey::Hashed{.whole = false};
  if (key.whole) {
    return TrafficSplit::bucket_of(key.hash);
  }
  if (!cookie_.empty()) {
    const auto cookie = http::cookie(stream.request.headers, cookie_);
    if (const auto bucket = cookie ? TrafficSplit::parse_bucket(*cookie) : std::nullopt) {
      return *bucket;
    }
  }
  const uint32_t bucket = TrafficSplit::bucket_of(stream.shard().random());
  stream.info.sticky_bucket = cookie_.empty() ? StreamInfo::kNoBucket : bucket;
  return bucket;
}

uint32_t SplitFilter::by_weight(Stream& stream) const noexcept {
  const uint32_t place = bucket(stream);
  return static_cast<uint32_t>(release_
                                   ? release_->split.share_of(place, release_->share->buckets())
                                   : split_.share_of(place));
}

FilterStatus SplitFilter::on_request_headers(Stream& stream) const noexcept {
  uint32_t chosen = named(stream);
  chosen = chosen != kNone ? chosen : reserved(stream);
  chosen = chosen != kNone ? chosen : by_weight(stream);
  const Share& share = shares_[chosen];
  stream.info.split_part = chosen;
  stream.info.upstream = share.upstream;
  stream.info.cluster = share.cluster;
  return FilterStatus::kContinue;
}

/// Tells a client that was placed at random where it stays.
FilterStatus SplitFilter::on_response_headers(Stream& stream) const noexcept {
  if (stream.info.sticky_bucket == StreamInfo::kNoBucket) {
    return FilterStatus::kContinue;
  }
  char digits[8];
  const char* const end =
      std::to_chars(digits, digits + sizeof digits, stream.info.sticky_bucket).ptr;
  const std::string_view number(digits, static_cast<size_t>(end - digits));
  const std::string_view secure = stream.info.tls_protocol.empty() ? "" : kSecure;
  const size_t size =
      cookie_.size() + 1 + number.size() + cookie_attributes_.size() + secure.size();
  char* const begin = stream.arena().allocate(size, 1);
  char* to = std::copy(cookie_.begin(), cookie_.end(), begin);
  *to++ = '=';
  for (const std::string_view part : {number, std::string_view(cookie_attributes_), secure}) {
    to = std::copy(part.begin(), part.end(), to);
  }
  static_cast<void>(stream.response.headers.add("set-cookie", std::string_view(begin, size)));
  return FilterStatus::kContinue;
}

void SplitFilter::on_stream_end(Stream& stream) const noexcept {
  const StreamInfo& info = stream.info;
  if (info.split_part == StreamInfo::kNoPart) {
    return;  // a filter before has answered
  }
  stats::SplitPartSlot& slot = shares_[info.split_part].stats->slot(stream.shard().shard());
  slot.requests.add();
  if (has_failed(info)) {
    slot.errors.add();
  }
  if (info.response_started != TimePoint{}) {
    slot.latency.record(info.response_started - info.started);
  }
}

}  // namespace hangu::filter
