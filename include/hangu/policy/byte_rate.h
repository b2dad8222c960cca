// ByteRate: a token bucket of bytes in which who finds too few makes a reservation and waits for
// its turn, so that many who share a bucket take turns and nobody has to ask again. The whole state
// is one time, when the bucket will be full again. Pure; the caller keeps the state and brings the
// time.
#pragma once

#include <algorithm>
#include <cstdint>

namespace hangu::policy {

class ByteRate {
 public:
  struct Reservation {
    uint64_t bytes = 0;      // of those wanted, at least one
    int64_t wait_ns = 0;     // before they may pass
    int64_t full_at_ns = 0;  // the new state
  };

  /// `bytes_per_second` after a pause up to `burst` at once; both at least 1.
  ByteRate(uint64_t bytes_per_second, uint64_t burst)
      : bytes_per_second_(bytes_per_second),
        burst_ns_(cost_ns(burst)),
        turn_bytes_(std::clamp(bytes_per_second / kTurnsPerSecond, kTurnMin, kTurnMax)) {}

  /// What can be had of `wanted` bytes, at least 1, when the bucket is full again at `full_at_ns`:
  /// all that it holds without a wait, or else a turn's worth.
  Reservation reserve(int64_t full_at_ns, int64_t now_ns, uint64_t wanted) const noexcept {
    const int64_t from = std::max(full_at_ns, now_ns);
    const int64_t room_ns = burst_ns_ - (from - now_ns);
    const uint64_t room = room_ns > 0 ? bytes_in(room_ns) : 0;
    const uint64_t bytes = std::min(wanted, std::max(room, turn_bytes_));
    const int64_t full = from + cost_ns(bytes);
    return {.bytes = bytes,
            .wait_ns = bytes <= room ? 0 : std::max<int64_t>(full - now_ns - burst_ns_, 0),
            .full_at_ns = full};
  }

  int64_t cost_ns(uint64_t bytes) const noexcept {
    return static_cast<int64_t>(static_cast<double>(bytes) * kSecondNs /
                                static_cast<double>(bytes_per_second_)) +
           1;
  }

 private:
  static constexpr double kSecondNs = 1e9;
  // A reservation is for a hundredth of a second, within these.
  static constexpr uint64_t kTurnsPerSecond = 100;
  static constexpr uint64_t kTurnMin = 1024;
  static constexpr uint64_t kTurnMax = 64ULL * 1024;

  uint64_t bytes_in(int64_t ns) const noexcept {
    return static_cast<uint64_t>(static_cast<double>(ns) * static_cast<double>(bytes_per_second_) /
                                 kSecondNs);
  }

  uint64_t bytes_per_second_;
  int64_t burst_ns_;
  uint64_t turn_bytes_;
};

}  // namespace hangu::policy
