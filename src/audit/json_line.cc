#include "hangu/audit/json_line.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <ctime>

#include "hangu/base/assert.h"

namespace hangu::audit {
namespace {

constexpr size_t kEndBytes = 2;  // "}\n"
constexpr size_t kNumberBytesMax = 20;
constexpr std::string_view kReplacement = "\\ufffd";
constexpr size_t kEscapeBytesMax = 6;
constexpr size_t kBufferBytesMin = 64;

/// The length of the UTF-8 character that `text` begins with; 0 when it is not one (RFC 3629).
size_t utf8_length(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto follows = [&](size_t count) {
    for (size_t i = 1; i <= count; ++i) {
      if (i >= text.size() || (byte(i) & 0xc0) != 0x80) {
        return false;
      }
    }
    return true;
  };
  const unsigned first = byte(0);
  if (first < 0x80) {
    return 1;
  }
  if (first >= 0xc2 && first <= 0xdf) {
    return follows(1) ? 2 : 0;
  }
  if (first >= 0xe0 && first <= 0xef) {
    const bool bad =
        !follows(2) || (first == 0xe0 && byte(1) < 0xa0) || (first == 0xed && byte(1) > 0x9f);
    return bad ? 0 : 3;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const bool bad =
        !follows(3) || (first == 0xf0 && byte(1) < 0x90) || (first == 0xf4 && byte(1) > 0x8f);
    return bad ? 0 : 4;
  }
  return 0;
}

constexpr bool is_plain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte < 0x7f && c != '"' && c != '\\';
}

size_t escape(char c, char* out) {
  constexpr char kHex[] = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  out[0] = '\\';
  if (c == '"' || c == '\\') {
    out[1] = c;
    return 2;
  }
  std::copy_n("u00", 3, out + 1);
  out[4] = kHex[byte >> 4];
  out[5] = kHex[byte & 0x0f];
  return kEscapeBytesMax;
}

/// Writes `value` with leading zeros in `digits` places.
char* put_digits(char* to, int64_t value, int digits) {
  for (int i = digits - 1; i >= 0; --i) {
    to[i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
  return to + digits;
}

}  // namespace

JsonLine::JsonLine(std::span<char> buffer)
    : begin_(buffer.data()),
      to_(buffer.data()),
      end_(buffer.data() + buffer.size() - kEndBytes) {
  HANGU_ASSERT(buffer.size() >= kBufferBytesMin);
  *to_++ = '{';
}

size_t JsonLine::room() const {
  return static_cast<size_t>(end_ - to_);
}

void JsonLine::put(std::string_view text) {
  to_ = std::copy_n(text.data(), text.size(), to_);
}

/// Writes `,"key":` if a value of that size fits behind it.
bool JsonLine::begin_member(std::string_view key, size_t value_bytes) {
  if (room() < key.size() + 4 + value_bytes) {
    return false;
  }
  if (to_ != begin_ + 1) {
    *to_++ = ',';
  }
  *to_++ = '"';
  put(key);
  put("\":");
  return true;
}

void JsonLine::add(std::string_view key, std::string_view value, size_t max) {
  if (!begin_member(key, 2)) {
    return;
  }
  *to_++ = '"';
  put_escaped(value, std::min(max, room() - 1));
  *to_++ = '"';
}

void JsonLine::put_escaped(std::string_view text, size_t max) {
  char* const limit = to_ + max;
  while (!text.empty()) {
    size_t plain = 0;
    while (plain < text.size() && is_plain(text[plain])) {
      ++plain;
    }
    const size_t fits = std::min(plain, static_cast<size_t>(limit - to_));
    put(text.substr(0, fits));
    text.remove_prefix(fits);
    if (fits < plain || text.empty()) {
      return;
    }
    char escaped[kEscapeBytesMax];
    std::string_view next;
    const size_t length = utf8_length(text);
    if (length > 1) {
      next = text.substr(0, length);
    } else if (length == 0) {
      next = kReplacement;
    } else {
      next = {escaped, escape(text.front(), escaped)};
    }
    if (static_cast<size_t>(limit - to_) < next.size()) {
      return;
    }
    put(next);
    text.remove_prefix(std::max<size_t>(length, 1));
  }
}

void JsonLine::add(std::string_view key, uint64_t value) {
  if (begin_member(key, kNumberBytesMax)) {
    to_ = std::to_chars(to_, end_, value).ptr;
  }
}

void JsonLine::add_true(std::string_view key) {
  constexpr std::string_view kTrue = "true";
  if (begin_member(key, kTrue.size())) {
    put(kTrue);
  }
}

void JsonLine::add_milliseconds(std::string_view key, int64_t nanoseconds) {
  const int64_t us = std::max<int64_t>(nanoseconds, 0) / 1000;
  if (begin_member(key, kNumberBytesMax + 4)) {
    to_ = std::to_chars(to_, end_, us / 1000).ptr;
    *to_++ = '.';
    to_ = put_digits(to_, us % 1000, 3);
  }
}

void JsonLine::add_time(std::string_view key, int64_t nanoseconds_since_epoch, int decimals) {
  constexpr size_t kTimeBytes = 29;
  if (!begin_member(key, kTimeBytes)) {
    return;
  }
  namespace chrono = std::chrono;
  const chrono::sys_time<chrono::microseconds> time(
      chrono::floor<chrono::microseconds>(chrono::nanoseconds(nanoseconds_since_epoch)));
  const auto day = chrono::floor<chrono::days>(time);
  const chrono::year_month_day date(day);
  const chrono::hh_mm_ss clock(time - day);
  *to_++ = '"';
  to_ = put_digits(to_, static_cast<int>(date.year()), 4);
  *to_++ = '-';
  to_ = put_digits(to_, static_cast<unsigned>(date.month()), 2);
  *to_++ = '-';
  to_ = put_digits(to_, static_cast<unsigned>(date.day()), 2);
  *to_++ = 'T';
  to_ = put_digits(to_, clock.hours().count(), 2);
  *to_++ = ':';
  to_ = put_digits(to_, clock.minutes().count(), 2);
  *to_++ = ':';
  to_ = put_digits(to_, clock.seconds().count(), 2);
  *to_++ = '.';
  char digits[6];
  put_digits(digits, clock.subseconds().count(), 6);
  put({digits, static_cast<size_t>(decimals)});
  put("Z\"");
}

std::string_view JsonLine::finish() {
  put("}\n");
  return {begin_, static_cast<size_t>(to_ - begin_)};
}

}  // namespace hangu::audit
