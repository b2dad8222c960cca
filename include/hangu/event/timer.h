// Timers of one loop: a hierarchical wheel with a tick of one millisecond. Arming and disarming are
// O(1) and allocate nothing. Moving a deadline later, which idle timers do with every byte, only
// stores the new deadline: the wheel looks again when the old one comes. A timer never fires early;
// it fires at most one tick plus the loop's turn late. One thread.
#pragma once

#include <array>
#include <cstdint>

#include "hangu/base/clock.h"
#include "hangu/base/intrusive_list.h"

namespace hangu::event {

class Timers;

class Timer : private ListNode<Timer> {
 public:
  Timer() = default;
  virtual ~Timer() = default;

  /// Fires once, `delay` from now; replaces an earlier deadline.
  void arm(Timers& timers, Duration delay) noexcept;
  void disarm() noexcept;

  bool armed() const { return armed_; }

 private:
  friend class Timers;
  friend class IntrusiveList<Timer>;

  virtual void on_timer() noexcept = 0;

  uint64_t deadline_ = 0;   // in ticks
  uint64_t scheduled_ = 0;  // the tick of the slot it is linked in
  bool armed_ = false;
};

class Timers {
 public:
  explicit Timers(TimePoint now)
      : start_(now) {}

  Timers(const Timers&) = delete;
  Timers& operator=(const Timers&) = delete;

  /// Fires what is due at `now`, which never goes back.
  void advance(TimePoint now) noexcept;

  /// The clock that arm() counts from; advance() sets it too.
  void set_now(TimePoint now) noexcept { now_ = ticks_at(now); }

  /// How long to wait until advance() may have something to do; negative: nothing is armed.
  Duration until_next(TimePoint now) const noexcept;

 private:
  friend class Timer;

  static constexpr int kLevels = 4;
  static constexpr int kSlotBits = 6;
  static constexpr uint64_t kSlots = 1 << kSlotBits;
  static constexpr uint64_t kHorizon = uint64_t{1} << (kLevels * kSlotBits);  // 4.6 hours
  static constexpr uint64_t kNone = UINT64_MAX;

  uint64_t ticks_at(TimePoint time) const noexcept {
    return static_cast<uint64_t>((time - start_) / std::chrono::milliseconds(1));
  }

  void insert(Timer& timer) noexcept;
  uint64_t next_event() const noexcept;
  void run_slots_at(uint64_t tick) noexcept;

  TimePoint start_;
  uint64_t now_ = 0;      // what arm() counts from
  uint64_t current_ = 0;  // the last tick whose slots were run
  std::array<std::array<IntrusiveList<Timer>, kSlots>, kLevels> slots_;
  std::array<uint64_t, kLevels> occupied_{};  // a bit per slot; set slots may be empty
};

}  // namespace hangu::event
