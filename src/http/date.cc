#include "hangu/http/date.h"

#include <algorithm>
#include <chrono>
#include <string_view>

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

}  // namespace hangu::http
