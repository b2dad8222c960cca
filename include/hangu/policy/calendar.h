// Days and months of the calendar as numbers, for counting anew in each. Pure.
#pragma once

#include <cstdint>

#include "hangu/config/config.h"

namespace hangu::policy {

/// A day, or a month, of local time.
struct CalendarWindow {
  uint32_t number = 0;    // since 1970; the next one has the next number
  int64_t ends_at_s = 0;  // Unix time
};

/// The window that `unix_s`, not before 1970, is in.
CalendarWindow calendar_window(const config::Quota& quota, int64_t unix_s) noexcept;

}  // namespace hangu::policy
