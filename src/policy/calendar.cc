#include "hangu/policy/calendar.h"

#include <chrono>

namespace hangu::policy {

CalendarWindow calendar_window(const config::Quota& quota, int64_t unix_s) noexcept {
  using std::chrono::days;
  using std::chrono::sys_days;
  constexpr int64_t kDay = 24 * 3600;
  const int64_t offset_s = int64_t{quota.offset_minutes} * 60;
  const int64_t local_s = unix_s + offset_s;
  const int64_t day = local_s / kDay;
  if (quota.per == config::QuotaPeriod::kDay) {
    return {.number = static_cast<uint32_t>(day), .ends_at_s = (day + 1) * kDay - offset_s};
  }
  const std::chrono::year_month_day date{sys_days(days(day))};
  const std::chrono::year_month month = date.year() / date.month();
  const sys_days next = (month + std::chrono::months(1)) / 1;
  const int year = static_cast<int>(date.year()) - 1970;
  return {.number = static_cast<uint32_t>(year) * 12 + static_cast<unsigned>(date.month()) - 1,
          .ends_at_s = int64_t{next.time_since_epoch().count()} * kDay - offset_s};
}

}  // namespace hangu::policy
