#include "hangu/filter/request_key.h"

namespace hangu::filter {

RequestKey::RequestKey(const std::vector<config::KeyPart>& parts, Prefixes prefixes, uint64_t seed)
    : prefixes_(prefixes),
      seed_(seed),
      named_(std::make_unique<std::vector<config::KeyPart>>(parts)) {
  for (const config::KeyPart& part : *named_) {
    parts_.emplace_back(part);
  }
}

RequestKey::Hashed RequestKey::of(const Stream& stream, uint64_t seed) const noexcept {
  uint64_t hash = seed;
  bool whole = true;
  for (const RequestPart& part : parts_) {
    if (const RequestPart::Value value = part.of(stream); value.there()) {
      hash = policy::hash_value(part.kind, value.text(), prefixes_, hash);
    } else {
      hash = policy::hash_missing(hash);
      whole = false;
    }
  }
  return {.hash = hash, .whole = whole};
}

}  // namespace hangu::filter
