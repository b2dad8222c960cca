#include "hangu/filter/split_filter.h"

#include <charconv>

#include <fmt/format.h>

#include "hangu/filter/principal.h"
#include "hangu/filter/stream.h"
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

}  // namespace

SplitFilter::SplitFilter(std::vector<Share> shares, const config::Split& split)
    : shares_(std::move(shares)),
      split_(weights_of(split)),
      choice_(split.choice),
      cookie_(split.sticky_cookie),
      cookie_attributes_("; Path=/; HttpOnly; SameSite=Lax") {
  if (!split.key.empty()) {
    key_.emplace(split.key, RequestKey::Prefixes{}, policy::TrafficSplit::kSeed);
  }
  if (split.sticky_max_age != Duration::zero()) {
    const auto seconds =
        std::chrono::duration_cast<std::chrono::seconds>(split.sticky_max_age).count();
    cookie_attributes_ += fmt::format("; Max-Age={}", seconds);
  }
}

uint8_t SplitFilter::hooks() const {
  return cookie_.empty() ? kRequestHeaders : kRequestHeaders | kResponseHeaders;
}

/// The upstream that the request asks for; nullptr: none, or none of these.
const SplitFilter::Share* SplitFilter::named(const Stream& stream) const noexcept {
  const auto find = [&](std::string_view wanted) -> const Share* {
    for (const Share& share : shares_) {
      if (share.name == wanted) {
        return &share;
      }
    }
    return nullptr;
  };
  const http::HeaderBlock& headers = stream.request.headers;
  if (!choice_.header.empty()) {
    const http::Header* const header = headers.find(choice_.header);
    if (const Share* const share = header != nullptr ? find(header->value()) : nullptr) {
      return share;
    }
  }
  const auto cookie = choice_.cookie.empty() ? std::nullopt : http::cookie(headers, choice_.cookie);
  return cookie ? find(*cookie) : nullptr;
}

/// The first that is there for the client; nullptr: none is.
const SplitFilter::Share* SplitFilter::reserved(const Stream& stream) const noexcept {
  for (const Share& share : shares_) {
    if (!share.who.empty() && matches(share.who, stream.kept.principal)) {
      return &share;
    }
  }
  return nullptr;
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

FilterStatus SplitFilter::on_request_headers(Stream& stream) const noexcept {
  const Share* share = named(stream);
  share = share != nullptr ? share : reserved(stream);
  if (share == nullptr) {
    share = &shares_[split_.share_of(bucket(stream))];
  }
  stream.info.upstream = share->upstream;
  stream.info.cluster = share->cluster;
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

}  // namespace hangu::filter
