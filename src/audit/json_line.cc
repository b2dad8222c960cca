#include "hangu/audit/json_line.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <chrono>
#include <ctime>

#include "hangu/base/assert.h"
#include "hangu/base/utf8.h"

namespace hangu::audit {
namespace {

constexpr size_t kEndBytes = 2;  // "}\n"
constexpr size_t kNumberBytesMax = 20;
constexpr std::string_view kReplacement = "\\ufffd";
constexpr size_t kEscapeBytesMax = 6;
constexpr size_t kBufferBytesMin = 64;

constexpr bool is_plain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte < 0x7f && c != '"' && c != '\\';
}

constexpr uint64_t each_byte(uint64_t value) {
  return value * 0x0101010101010101;
}

/// Of eight bytes, the first in the lowest place: the upper bit of each that is not plain. Only the
/// lowest one found is sure to be right.
constexpr uint64_t escape_marks(uint64_t bytes) {
  const auto below = [bytes](uint64_t value) { return (bytes - each_byte(value)) & ~bytes; };
  const auto equal = [bytes](unsigned char c) {
    const uint64_t difference = bytes ^ each_byte(c);
    return (difference - each_byte(1)) & ~difference;
  };
  return (bytes | below(0x20) | equal('"') | equal('\\') | equal(0x7f)) & each_byte(0x80);
}

uint64_t eight_bytes(const char* from) {
  static_assert(std::endian::native == std::endian::little);
  std::array<char, sizeof(uint64_t)> bytes;
  std::copy_n(from, bytes.size(), bytes.begin());
  return std::bit_cast<uint64_t>(bytes);
}

/// How many bytes of the beginning need no escaping.
size_t plain_length(std::string_view text) {
  constexpr size_t kStep = sizeof(uint64_t);
  if (text.size() < kStep) {
    return static_cast<size_t>(std::find_if_not(text.begin(), text.end(), is_plain) - text.begin());
  }
  const size_t last = text.size() - kStep;
  for (size_t at = 0;; at = std::min(at + kStep, last)) {  // the last step goes over some twice
    if (const uint64_t marks = escape_marks(eight_bytes(text.data() + at)); marks != 0) {
      return at + static_cast<size_t>(std::countr_zero(marks)) / 8;
    }
    if (at == last) {
      return text.size();
    }
  }
}

/// A member's text is short: what a call costs is more than what is copied.
template <size_t kPart>
char* copy_ends(const char* from, size_t size, char* to) {
  std::copy_n(from, kPart, to);
  std::copy_n(from + size - kPart, kPart, to + size - kPart);
  return to + size;
}

char* copy_short(std::string_view text, char* to) {
  const size_t size = text.size();
  if (size > 32) {
    return std::copy_n(text.data(), size, to);
  }
  if (size >= 16) {
    return copy_ends<16>(text.data(), size, to);
  }
  if (size >= 8) {
    return copy_ends<8>(text.data(), size, to);
  }
  if (size >= 4) {
    return copy_ends<4>(text.data(), size, to);
  }
  for (const char c : text) {
    *to++ = c;
  }
  return to;
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
  to_ = copy_short(text, to_);
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
    const size_t plain = plain_length(text);
    const size_t fits = std::min(plain, static_cast<size_t>(limit - to_));
    put(text.substr(0, fits));
    text.remove_prefix(fits);
    if (fits < plain || text.empty()) {
      return;
    }
    char escaped[kEscapeBytesMax];
    std::string_view next;
    const size_t length = utf8_length(text, 0);
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
