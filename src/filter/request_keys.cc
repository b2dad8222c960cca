#include "hangu/filter/request_keys.h"

#include <algorithm>

namespace hangu::filter {

bool RequestKeys::Step::operator==(const Step& other) const noexcept {
  return seed == other.seed && before == other.before && part.kind == other.part.kind &&
         part.name == other.part.name && ipv4_prefix == other.ipv4_prefix &&
         ipv6_prefix == other.ipv6_prefix;
}

std::optional<uint8_t> RequestKeys::add(const std::vector<config::KeyPart>& parts,
                                        const Prefixes& prefixes, uint64_t seed) {
  uint8_t last = kNone;
  for (const config::KeyPart& part : parts) {
    const bool client = part.kind == config::KeyPart::Kind::kClientIp;
    const Step step{.seed = last == kNone ? seed : 0,
                    .part = RequestPart(part),
                    .before = last,
                    .ipv4_prefix = static_cast<uint8_t>(client ? prefixes.ipv4 : 0),
                    .ipv6_prefix = static_cast<uint8_t>(client ? prefixes.ipv6 : 0)};
    const auto known = std::find(steps_.begin(), steps_.end(), step);
    if (known == steps_.end() && steps_.size() == kStepsMax) {
      return std::nullopt;
    }
    last = static_cast<uint8_t>(known - steps_.begin());
    if (known == steps_.end()) {
      steps_.push_back(step);
    }
  }
  return last != kNone ? std::optional(last) : std::nullopt;
}

RequestKeys::Hashed::Hashed(const RequestKeys& keys, const Stream& stream) noexcept {
  uint64_t whole = 0;
  uint8_t number = 0;
  for (const Step& step : keys.steps_) {
    const bool first = step.before == kNone;
    uint64_t hash = first ? step.seed : hashes_[step.before];
    const bool there = step.part.add_to(hash, {step.ipv4_prefix, step.ipv6_prefix}, stream);
    whole |= uint64_t{there && (first || (whole >> step.before & 1) != 0)} << number;
    hashes_[number] = hash;
    ++number;
  }
  whole_ = whole;
}

}  // namespace hangu::filter
