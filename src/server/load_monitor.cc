#include "server/load_monitor.h"

#include <algorithm>
#include <chrono>

#include "hangu/base/log.h"

namespace hangu::server {
namespace {

using policy::OverloadStep;
using std::chrono::milliseconds;

constexpr Duration kShrinkInterval = std::chrono::seconds(1);
// A timer may fire up to a tick after its time, however idle the loop is.
constexpr Duration kTick = milliseconds(1);

}  // namespace

void LoadMonitor::configure(const config::Overload& overload) noexcept {
  overload_ = overload;
  if (overload_.enabled && overload_.mode != config::Mode::kOff) {
    if (!armed()) {
      beat();
    }
    return;
  }
  disarm();
  tracker_ = {};
  process_step_ = OverloadStep::kNone;
  accept_step_ = OverloadStep::kNone;
  stats_.delay_us.set(0);
  stats_.delay_step.set(0);
  join();
}

void LoadMonitor::set_process_step(OverloadStep step) noexcept {
  process_step_ = step;
  join();
}

void LoadMonitor::set_accept_step(OverloadStep step) noexcept {
  accept_step_ = step;
  join();
}

void LoadMonitor::beat() noexcept {
  const Duration interval =
      std::max<Duration>(overload_.delay_window / policy::DelayWindow::kSamples, kTick);
  due_ = loop_.now() + interval;
  arm(loop_.timers(), interval);
}

void LoadMonitor::on_timer() noexcept {
  const TimePoint now = loop_.now();
  const Duration late = std::max(now - due_ - kTick, Duration::zero());
  const Duration delay = delays_.add(late, now, overload_.delay_window);
  const OverloadStep before = tracker_.step();
  const OverloadStep after = tracker_.update(delay, overload_.delay, now, overload_.recovery);
  stats_.delay_us.set(
      static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(delay).count()));
  stats_.delay_step.set(static_cast<uint64_t>(after));
  if (after != before) {
    log::write(
        after > before ? log::Level::kWarning : log::Level::kInfo,
        fmt::format("event=overload_step trigger=delay shard={} step={} before={} delay_ms={}",
                    shard_, policy::to_string(after), policy::to_string(before),
                    std::chrono::duration_cast<milliseconds>(delay).count()));
    join();
  }
  if (std::max(process_step_, accept_step_) != OverloadStep::kNone && now >= shrink_at_) {
    shrink_at_ = now + kShrinkInterval;
    handler_.on_shrink();
  }
  beat();
}

void LoadMonitor::join() noexcept {
  const OverloadStep joined = std::max({process_step_, accept_step_, tracker_.step()});
  if (joined != step_) {
    step_ = joined;
    stats_.overload_step.set(static_cast<uint64_t>(joined));
    handler_.on_step(joined);
  }
}

}  // namespace hangu::server
