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
    whole = part.add_to(hash, prefixes_, stream) && whole;
  }
  return {.hash = hash, .whole = whole};
}

}  // namespace hangu::filter
