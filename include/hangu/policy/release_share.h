// ReleaseShare: how much of a split's requests the upstream gets that is being released. Written by
// the control thread, read by every shard with each request of the route: a step costs neither a
// new config nor a message. One an identity of the release, see policy/release.h.
#pragma once

#include <atomic>
#include <cstdint>

namespace hangu::policy {

class alignas(64) ReleaseShare {
 public:
  /// Of TrafficSplit::kBuckets. 0 until something else is known: nobody has been there yet.
  uint32_t buckets() const noexcept { return buckets_.load(std::memory_order_relaxed); }

  void set(uint32_t buckets) noexcept { buckets_.store(buckets, std::memory_order_relaxed); }

 private:
  std::atomic<uint32_t> buckets_{0};
};

}  // namespace hangu::policy
