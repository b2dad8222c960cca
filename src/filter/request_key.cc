#include "hangu/filter/request_key.h"

#include "hangu/filter/stream.h"
#include "hangu/http/parameters.h"
#include "hangu/policy/ip.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace hangu::filter {

using Kind = config::KeyPart::Kind;

RequestKey::RequestKey(const std::vector<config::KeyPart>& parts, Prefixes prefixes, uint64_t seed)
    : prefixes_(prefixes),
      seed_(seed) {
  for (const config::KeyPart& part : parts) {
    parts_.push_back({part.kind, http::header_name_from(part.name), part.name});
  }
}

std::optional<std::string_view> RequestKey::value_of(const Part& part,
                                                     const Stream& stream) const noexcept {
  const http::RequestHead& request = stream.request;
  switch (part.kind) {
    case Kind::kClientIp: return stream.info.client_ip;
    case Kind::kHost: return request.host;
    case Kind::kRoute: return stream.route()->config->name;
    case Kind::kMethod: return request.method_text;
    case Kind::kPath: return request.path;
    case Kind::kCookie: return http::cookie(request.headers, part.name);
    case Kind::kQuery: return http::query_parameter(request.query, part.name);
    case Kind::kHeader: break;
  }
  const http::Header* header = request.headers.find(part.token, part.name);
  return header != nullptr ? std::optional(header->value()) : std::nullopt;
}

/// Of the bits that count.
uint64_t RequestKey::hash_client(std::string_view ip, uint64_t seed) const noexcept {
  const bool ipv4 = ip.find(':') == std::string_view::npos;
  const auto bytes = ipv4 && prefixes_.ipv4 == 32 ? std::nullopt : policy::parse_ip(ip);
  if (!bytes) {
    return XXH3_64bits_withSeed(ip.data(), ip.size(), seed);
  }
  constexpr uint32_t kMappedBits = 96;
  const policy::IpBytes network = policy::network_of(
      *bytes, policy::is_ipv4(*bytes) ? kMappedBits + prefixes_.ipv4 : prefixes_.ipv6);
  return XXH3_64bits_withSeed(network.data(), network.size(), seed);
}

RequestKey::Hashed RequestKey::of(const Stream& stream) const noexcept {
  Hashed key{.hash = seed_};
  for (const Part& part : parts_) {
    const std::optional<std::string_view> value = value_of(part, stream);
    if (!value) {
      key.whole = false;
      key.hash = XXH3_64bits_withSeed("", 0, ~key.hash);  // unlike an empty value
    } else if (part.kind == Kind::kClientIp) {
      key.hash = hash_client(*value, key.hash);
    } else {
      key.hash = XXH3_64bits_withSeed(value->data(), value->size(), key.hash);
    }
  }
  return key;
}

}  // namespace hangu::filter
