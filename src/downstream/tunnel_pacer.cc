#include "hangu/downstream/tunnel_pacer.h"

#include <algorithm>

#include "hangu/downstream/session_table.h"

namespace hangu::downstream {
namespace {

constexpr Duration kTickMin = std::chrono::milliseconds(20);
constexpr int kTicksMax = 1000;
// Of the spread: for the closing handshakes of the last.
constexpr int kRestPart = 10;
constexpr Duration kRestMax = std::chrono::seconds(5);

}  // namespace

TunnelPacer::TunnelPacer(SessionTable& table, const Leave& leave, const ListenerContext* listener,
                         bool cut)
    : table_(table),
      listener_(listener),
      close_code_(leave.close_code),
      cut_(cut) {
  const Duration spread = std::min(leave.spread, leave.within);
  end_ = table.loop().now() + leave.within;
  begin_ = end_ - spread;
  last_ = end_ - std::min(spread / kRestPart, kRestMax);
  arm(table.loop().timers(), std::max(begin_ - table.loop().now(), Duration::zero()));
}

void TunnelPacer::on_timer() noexcept {
  const TimePoint now = table_.loop().now();
  if (now >= end_) {
    done_ = true;
    if (cut_) {
      table_.for_each(listener_, [](Session& session) { session.close(); });
    }
    return;
  }
  step(now);
  const Duration tick = std::max(kTickMin, (last_ - begin_) / kTicksMax);
  const bool all_told = begun_ && told_ >= all_;
  arm(table_.loop().timers(), all_told ? end_ - now : std::min(tick, end_ - now));
}

/// Tells as many as should know by now.
void TunnelPacer::step(TimePoint now) noexcept {
  if (!begun_) {
    begun_ = true;
    table_.for_each(listener_,
                    [this](Session& session) { all_ += session.can_say_goodbye() ? 1 : 0; });
  }
  const double spread = std::max(1.0, static_cast<double>((last_ - begin_).count()));
  const double part = std::min(1.0, static_cast<double>((now - begin_).count()) / spread);
  const auto due = static_cast<size_t>(part * static_cast<double>(all_));
  size_t wanted = due - std::min(due, told_);
  table_.for_each(listener_, [&](Session& session) {
    if (wanted != 0 && session.can_say_goodbye()) {
      session.say_goodbye(close_code_);
      --wanted;
    }
  });
  told_ = std::max(due, told_);
}

}  // namespace hangu::downstream
