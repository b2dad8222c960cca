#include "openapi/formats.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "hangu/base/parse.h"

namespace hangu::openapi {
namespace {

constexpr std::array<std::pair<std::string_view, Format>, 7> kFormats = {{
    {"int32", Format::kInt32},
    {"int64", Format::kInt64},
    {"uuid", Format::kUuid},
    {"date", Format::kDate},
    {"date-time", Format::kDateTime},
    {"ipv4", Format::kIpv4},
    {"ipv6", Format::kIpv6},
}};

/// Whether `text` has digits where `form` has '0', and else the same.
bool has_form(std::string_view text, std::string_view form) {
  return std::equal(text.begin(), text.end(), form.begin(), form.end(), [](char c, char wanted) {
    return wanted == '0' ? c >= '0' && c <= '9' : c == wanted;
  });
}

unsigned number_at(std::string_view text, size_t at, size_t count) {
  return static_cast<unsigned>(parse_decimal(text.substr(at, count)).value_or(UINT16_MAX));
}

bool is_date(std::string_view text) {
  return has_form(text, "0000-00-00") &&
         std::chrono::year_month_day(std::chrono::year(static_cast<int>(number_at(text, 0, 4))),
                                     std::chrono::month(number_at(text, 5, 2)),
                                     std::chrono::day(number_at(text, 8, 2)))
             .ok();
}

/// RFC 3339 §5.6.
bool is_date_time(std::string_view text) {
  constexpr size_t kDateChars = 10;
  constexpr size_t kTimeChars = 9;
  if (text.size() < kDateChars + kTimeChars || !is_date(text.substr(0, kDateChars))) {
    return false;
  }
  const char between = text[kDateChars];
  std::string_view time = text.substr(kDateChars + 1);
  if ((between != 'T' && between != 't' && between != ' ') ||
      !has_form(time.substr(0, 8), "00:00:00") || number_at(time, 0, 2) > 23 ||
      number_at(time, 3, 2) > 59 || number_at(time, 6, 2) > 60) {
    return false;
  }
  time.remove_prefix(8);
  if (time.starts_with('.')) {
    const size_t end = std::min(time.find_first_not_of("0123456789", 1), time.size());
    if (end == 1) {
      return false;
    }
    time.remove_prefix(end);
  }
  if (time == "Z" || time == "z") {
    return true;
  }
  return (has_form(time, "+00:00") || has_form(time, "-00:00")) && number_at(time, 1, 2) <= 23 &&
         number_at(time, 4, 2) <= 59;
}

bool is_uuid(std::string_view text) {
  constexpr std::string_view kForm = "00000000-0000-0000-0000-000000000000";
  return std::equal(text.begin(), text.end(), kForm.begin(), kForm.end(), [](char c, char wanted) {
    return wanted == '0' ? hex_digit_value(c) >= 0 : c == wanted;
  });
}

bool is_address(int family, std::string_view text) {
  std::array<char, INET6_ADDRSTRLEN> copy{};
  std::array<unsigned char, sizeof(in6_addr)> address;
  if (text.size() >= copy.size() || text.find('\0') != std::string_view::npos) {
    return false;
  }
  std::copy(text.begin(), text.end(), copy.begin());
  return inet_pton(family, copy.data(), address.data()) == 1;
}

}  // namespace

Format format_named(std::string_view name) noexcept {
  const auto* const found = std::find_if(kFormats.begin(), kFormats.end(),
                                         [name](const auto& one) { return one.first == name; });
  return found != kFormats.end() ? found->second : Format::kNone;
}

std::string_view describe(Format format) noexcept {
  switch (format) {
    case Format::kNone: return "anything";
    case Format::kInt32: return "a whole number of 32 bits";
    case Format::kInt64: return "a whole number of 64 bits";
    case Format::kUuid: return "a UUID";
    case Format::kDate: return "a date as 2026-01-31";
    case Format::kDateTime: return "a time as 2026-01-31T12:00:00Z";
    case Format::kIpv4: return "an IPv4 address";
    case Format::kIpv6: return "an IPv6 address";
  }
  return "";
}

bool fits(Format format, std::string_view text) noexcept {
  switch (format) {
    case Format::kUuid: return is_uuid(text);
    case Format::kDate: return is_date(text);
    case Format::kDateTime: return is_date_time(text);
    case Format::kIpv4: return is_address(AF_INET, text);
    case Format::kIpv6: return is_address(AF_INET6, text);
    default: return true;
  }
}

}  // namespace hangu::openapi
