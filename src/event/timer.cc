#include "hangu/event/timer.h"

#include <algorithm>
#include <bit>

namespace hangu::event {

void Timer::arm(Timers& timers, Duration delay) noexcept {
  constexpr Duration kTick = std::chrono::milliseconds(1);
  constexpr Duration kDelayMax = std::chrono::hours(24 * 365);
  // One tick more than asked, rounded up: the current tick has partly gone by.
  const auto ticks =
      static_cast<uint64_t>((std::clamp(delay, Duration::zero(), kDelayMax) + kTick) / kTick);
  deadline_ = timers.now_ + std::max<uint64_t>(ticks, 1);
  armed_ = true;
  if (linked()) {
    if (deadline_ >= scheduled_) {
      return;
    }
    unlink();
  }
  timers.insert(*this);
}

void Timer::disarm() noexcept {
  armed_ = false;
  unlink();
}

void Timers::insert(Timer& timer) noexcept {
  const uint64_t tick = std::clamp(timer.deadline_, current_ + 1, current_ + kHorizon - 1);
  const uint64_t distance = tick - current_;
  const int level = (static_cast<int>(std::bit_width(distance)) - 1) / kSlotBits;
  const uint64_t slot = (tick >> (level * kSlotBits)) & (kSlots - 1);
  timer.scheduled_ = (tick >> (level * kSlotBits)) << (level * kSlotBits);
  const auto row = static_cast<size_t>(level);
  slots_[row][slot].push_back(timer);
  occupied_[row] |= uint64_t{1} << slot;
}

uint64_t Timers::next_event() const noexcept {
  uint64_t next = kNone;
  for (int level = 0; level < kLevels; ++level) {
    const uint64_t bits = occupied_[static_cast<size_t>(level)];
    if (bits == 0) {
      continue;
    }
    const uint64_t position = current_ >> (level * kSlotBits);
    const int offset = std::countr_zero(std::rotr(bits, static_cast<int>((position + 1) % kSlots)));
    const uint64_t tick = (position + 1 + static_cast<uint64_t>(offset)) << (level * kSlotBits);
    next = std::min(next, tick);
  }
  return next;
}

void Timers::advance(TimePoint now) noexcept {
  set_now(now);
  for (uint64_t next = next_event(); next <= now_; next = next_event()) {
    current_ = next;
    run_slots_at(next);
  }
  current_ = std::max(current_, now_);
}

/// Moves timers of coarser levels down and fires those that are due.
void Timers::run_slots_at(uint64_t tick) noexcept {
  for (int level = kLevels - 1; level >= 0; --level) {
    const uint64_t unit = uint64_t{1} << (level * kSlotBits);
    if (tick % unit != 0) {
      continue;
    }
    const uint64_t slot = (tick >> (level * kSlotBits)) & (kSlots - 1);
    const auto row = static_cast<size_t>(level);
    const uint64_t bit = uint64_t{1} << slot;
    if ((occupied_[row] & bit) == 0) {
      continue;
    }
    occupied_[row] &= ~bit;
    IntrusiveList<Timer> due;
    while (Timer* timer = slots_[row][slot].pop_front()) {
      due.push_back(*timer);
    }
    while (Timer* timer = due.pop_front()) {
      if (timer->deadline_ > tick) {
        insert(*timer);
      } else {
        timer->armed_ = false;
        timer->on_timer();
      }
    }
  }
}

Duration Timers::until_next(TimePoint now) const noexcept {
  const uint64_t next = next_event();
  if (next == kNone) {
    return Duration(-1);
  }
  const TimePoint due = start_ + std::chrono::milliseconds(next);
  return due > now ? due - now : Duration::zero();
}

}  // namespace hangu::event
