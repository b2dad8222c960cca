// JsonLine: one JSON object on one line, written into a buffer of the caller without allocating.
// The result is valid JSON whatever it is given: long values are cut, what does not fit is left
// out, bytes that are no UTF-8 become U+FFFD. One thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace hangu::audit {

/// The key of a member as it stands in a line, `,"key":"`; made when compiling. It needs no
/// escaping.
class JsonKey {
 public:
  static constexpr size_t kBytesMax = 32;

  template <size_t kBytes>
  consteval JsonKey(const char (&key)[kBytes])  // NOLINT(*-explicit-*): literals are meant
      : JsonKey(std::string_view(key, kBytes - 1)) {}

  explicit constexpr JsonKey(std::string_view key)
      : size_(static_cast<uint8_t>(key.size() + kAround)) {
    text_[0] = ',';
    text_[1] = '"';
    std::copy(key.begin(), key.end(), text_.begin() + 2);
    std::copy_n("\":\"", 3, text_.begin() + 2 + key.size());
  }

  constexpr std::string_view name() const { return before_text().substr(2, size_ - kAround); }

  constexpr std::string_view before_text() const { return {text_.data(), size_}; }

  constexpr std::string_view before_value() const { return before_text().substr(0, size_ - 1U); }

 private:
  static constexpr size_t kAround = 5;

  std::array<char, kBytesMax + kAround> text_{};
  uint8_t size_;
};

class JsonLine {
 public:
  /// Of at least 64 bytes.
  explicit JsonLine(std::span<char> buffer);

  /// A string; `max` bounds the bytes it takes, escapes included.
  void add(const JsonKey& key, std::string_view value, size_t max = 1024);
  void add(const JsonKey& key, uint64_t value);
  void add_true(const JsonKey& key);
  /// With three decimals: 1234567 ns are 1.234 (milliseconds).
  void add_milliseconds(const JsonKey& key, int64_t nanoseconds);
  /// "2026-11-23T20:57:05.123Z", with at most six decimals.
  void add_time(const JsonKey& key, int64_t nanoseconds_since_epoch, int decimals = 3);

  /// The line up to here.
  std::string_view begun() const { return {begin_, static_cast<size_t>(to_ - begin_)}; }

  /// The line with its line feed. Last.
  std::string_view finish();

 private:
  size_t room() const;
  bool begin_member(std::string_view before, size_t value_bytes);
  void put(std::string_view text);
  void put_escaped(std::string_view text, size_t max);

  char* begin_;
  char* to_;
  char* end_;
};

}  // namespace hangu::audit
