#include "hangu/audit/json_line.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <chrono>
#include <cstdint>

#include "hangu/base/assert.h"
#include "hangu/base/byte_marks.h"
#include "hangu/base/copy_short.h"
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

/// Of eight bytes, those that are not plain. Only the first one found is sure to be right.
uint64_t escape_marks(uint64_t bytes) {
  return (bytes & kByteMarks) | first_mark_below(0x20, bytes) | first_mark_of('"', bytes) |
         first_mark_of('\\', bytes) | first_mark_of(0x7f, bytes);
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

/// "00" to "99", one after the other.
constexpr auto kPairs = [] {
  std::array<char, 200> pairs{};
  for (size_t i = 0; i < pairs.size() / 2; ++i) {
    pairs[2 * i] = static_cast<char>('0' + i / 10);
    pairs[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return pairs;
}();

/// Writes `value`, at most 99, in two places.
char* put_pair(char* to, uint64_t value) {
  return std::copy_n(kPairs.data() + 2 * value, 2, to);
}

/// The date and time of one second, which the next line most often has, too.
class SecondText {
 public:
  static constexpr size_t kBytes = 20;  // "2026-11-23T20:57:05."

  std::string_view of(int64_t second) {
    if (second != second_) {
      write(second);
    }
    return {text_.data(), kBytes};
  }

 private:
  void write(int64_t second) {
    namespace chrono = std::chrono;
    const chrono::sys_seconds time{chrono::seconds(second)};
    const auto day = chrono::floor<chrono::days>(time);
    const chrono::year_month_day date(day);
    const chrono::hh_mm_ss clock(time - day);
    const auto year = static_cast<uint64_t>(static_cast<int>(date.year()));
    char* to = put_pair(put_pair(text_.data(), year / 100 % 100), year % 100);
    *to++ = '-';
    to = put_pair(to, static_cast<unsigned>(date.month()));
    *to++ = '-';
    to = put_pair(to, static_cast<unsigned>(date.day()));
    *to++ = 'T';
    to = put_pair(to, static_cast<uint64_t>(clock.hours().count()));
    *to++ = ':';
    to = put_pair(to, static_cast<uint64_t>(clock.minutes().count()));
    *to++ = ':';
    to = put_pair(to, static_cast<uint64_t>(clock.seconds().count()));
    *to = '.';
    second_ = second;
  }

  int64_t second_ = INT64_MIN;
  std::array<char, kBytes> text_{};
};

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

/// Writes what stands before a value if that of `value_bytes` fits behind it.
bool JsonLine::begin_member(std::string_view before, size_t value_bytes) {
  if (room() < before.size() + value_bytes) {
    return false;
  }
  put(to_ == begin_ + 1 ? before.substr(1) : before);  // no comma before the first one
  return true;
}

void JsonLine::add(const JsonKey& key, std::string_view value, size_t max) {
  if (begin_member(key.before_text(), 1)) {
    put_escaped(value, std::min(max, room() - 1));
    *to_++ = '"';
  }
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

void JsonLine::add(const JsonKey& key, uint64_t value) {
  if (begin_member(key.before_value(), kNumberBytesMax)) {
    to_ = std::to_chars(to_, end_, value).ptr;
  }
}

void JsonLine::add_true(const JsonKey& key) {
  constexpr std::string_view kTrue = "true";
  if (begin_member(key.before_value(), kTrue.size())) {
    put(kTrue);
  }
}

void JsonLine::add_milliseconds(const JsonKey& key, int64_t nanoseconds) {
  const auto us = static_cast<uint64_t>(std::max<int64_t>(nanoseconds, 0) / 1000);
  if (begin_member(key.before_value(), kNumberBytesMax + 4)) {
    to_ = std::to_chars(to_, end_, us / 1000).ptr;
    *to_++ = '.';
    *to_++ = static_cast<char>('0' + us % 1000 / 100);
    to_ = put_pair(to_, us % 100);
  }
}

void JsonLine::add_time(const JsonKey& key, int64_t nanoseconds_since_epoch, int decimals) {
  constexpr size_t kTimeBytes = 29;
  if (!begin_member(key.before_value(), kTimeBytes)) {
    return;
  }
  namespace chrono = std::chrono;
  const chrono::nanoseconds time(nanoseconds_since_epoch);
  const auto second = chrono::floor<chrono::seconds>(time);
  const auto us = static_cast<uint64_t>(chrono::floor<chrono::microseconds>(time - second).count());
  thread_local SecondText text;
  *to_++ = '"';
  put(text.of(second.count()));
  char digits[6];
  put_pair(put_pair(put_pair(digits, us / 10'000), us / 100 % 100), us % 100);
  put({digits, static_cast<size_t>(decimals)});
  put("Z\"");
}

std::string_view JsonLine::finish() {
  put("}\n");
  return {begin_, static_cast<size_t>(to_ - begin_)};
}

}  // namespace hangu::audit
