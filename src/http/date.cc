#include "hangu/http/date.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <string_view>

#include "hangu/base/parse.h"

namespace hangu::http {
namespace {

constexpr std::string_view kDays = "SunMonTueWedThuFriSat";
constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
constexpr size_t kNameChars = 3;

char* put(char* to, std::string_view text) {
  return std::copy(text.begin(), text.end(), to);
}

char* put_digits(char* to, unsigned value, unsigned digits) {
  for (unsigned i = digits; i > 0; --i, value /= 10) {
    to[i - 1] = static_cast<char>('0' + value % 10);
  }
  return to + digits;
}

}  // namespace

void write_date(int64_t unix_seconds, std::span<char, kDateChars> out) noexcept {
  namespace chrono = std::chrono;
  const chrono::sys_seconds time{chrono::seconds(unix_seconds)};
  const chrono::sys_days day = chrono::floor<chrono::days>(time);
  const chrono::year_month_day date(day);
  const chrono::hh_mm_ss clock(time - day);
  const auto two = [](auto count) { return static_cast<unsigned>(count); };
  char* to = out.data();
  to = put(to, kDays.substr(chrono::weekday(day).c_encoding() * kNameChars, kNameChars));
  to = put(to, ", ");
  to = put_digits(to, static_cast<unsigned>(date.day()), 2);
  to = put(to, " ");
  to = put(to, kMonths.substr((static_cast<unsigned>(date.month()) - 1) * kNameChars, kNameChars));
  to = put(to, " ");
  to = put_digits(to, two(static_cast<int>(date.year())), 4);
  to = put(to, " ");
  to = put_digits(to, two(clock.hours().count()), 2);
  to = put(to, ":");
  to = put_digits(to, two(clock.minutes().count()), 2);
  to = put(to, ":");
  to = put_digits(to, two(clock.seconds().count()), 2);
  put(to, " GMT");
}

std::optional<int64_t> parse_date(std::string_view text) noexcept {
  namespace chrono = std::chrono;
  if (text.size() != kDateChars) {
    return std::nullopt;
  }
  const auto number = [text](size_t at, size_t count) {
    return parse_decimal(text.substr(at, count)).value_or(UINT32_MAX);
  };
  constexpr size_t kMonthAt = 8;
  const size_t month = kMonths.find(text.substr(kMonthAt, kNameChars));
  const uint64_t hours = number(17, 2);
  const uint64_t minutes = number(20, 2);
  const uint64_t seconds = number(23, 2);
  if (month == std::string_view::npos || month % kNameChars != 0 || hours > 23 || minutes > 59 ||
      seconds > 59 || number(5, 2) > 31 || number(12, 4) > 9999) {
    return std::nullopt;
  }
  const chrono::year_month_day date(chrono::year(static_cast<int>(number(12, 4))),
                                    chrono::month(static_cast<unsigned>(month / kNameChars) + 1),
                                    chrono::day(static_cast<unsigned>(number(5, 2))));
  if (!date.ok()) {
    return std::nullopt;
  }
  const chrono::sys_seconds time = chrono::sys_days(date) + chrono::hours(hours) +
                                   chrono::minutes(minutes) + chrono::seconds(seconds);
  const int64_t found = time.time_since_epoch().count();
  // What stands between the numbers has to be right as well.
  std::array<char, kDateChars> again;
  write_date(found, again);
  return std::string_view(again.data(), again.size()) == text ? std::optional(found) : std::nullopt;
}

}  // namespace hangu::http
