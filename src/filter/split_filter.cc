#include "hangu/filter/split_filter.h"

#include "hangu/filter/stream.h"

namespace hangu::filter {
namespace {

// Not 0: what is alike on all nodes here must not follow the choice of an endpoint by the same key.
constexpr uint64_t kSeed = 0x73706c6974;

}  // namespace

SplitFilter::SplitFilter(std::vector<Share> shares, const std::vector<config::KeyPart>& key)
    : shares_(std::move(shares)) {
  for (const Share& share : shares_) {
    sum_ += share.weight;
  }
  if (!key.empty()) {
    key_.emplace(key, RequestKey::Prefixes{}, kSeed);
  }
}

FilterStatus SplitFilter::on_request_headers(Stream& stream) const noexcept {
  const RequestKey::Hashed key = key_ ? key_->of(stream) : RequestKey::Hashed{.whole = false};
  uint64_t place = (key.whole ? key.hash : stream.shard().random()) % sum_;
  for (const Share& share : shares_) {
    if (place < share.weight) {
      stream.info.upstream = share.upstream;
      stream.info.cluster = share.cluster;
      break;
    }
    place -= share.weight;
  }
  return FilterStatus::kContinue;
}

}  // namespace hangu::filter
