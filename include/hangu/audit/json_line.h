// JsonLine: one JSON object on one line, written into a buffer of the caller without allocating.
// The result is valid JSON whatever it is given: long values are cut, what does not fit is left
// out, bytes that are no UTF-8 become U+FFFD. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace hangu::audit {

class JsonLine {
 public:
  /// Of at least 64 bytes.
  explicit JsonLine(std::span<char> buffer);

  /// A string; `max` bounds the bytes it takes, escapes included. Keys need no escaping.
  void add(std::string_view key, std::string_view value, size_t max = 1024);
  void add(std::string_view key, uint64_t value);
  void add_true(std::string_view key);
  /// With three decimals: 1234567 ns are 1.234 (milliseconds).
  void add_milliseconds(std::string_view key, int64_t nanoseconds);
  /// "2026-11-23T20:57:05.123Z", with at most six decimals.
  void add_time(std::string_view key, int64_t nanoseconds_since_epoch, int decimals = 3);

  /// The line up to here.
  std::string_view begun() const { return {begin_, static_cast<size_t>(to_ - begin_)}; }

  /// The line with its line feed. Last.
  std::string_view finish();

 private:
  size_t room() const;
  bool begin_member(std::string_view key, size_t value_bytes);
  void put(std::string_view text);
  void put_escaped(std::string_view text, size_t max);

  char* begin_;
  char* to_;
  char* end_;
};

}  // namespace hangu::audit
