// Numbers and texts one after the other in one string, for files and sealed cookies of our own: a
// number is eight bytes, the lowest first, a text its size and its bytes. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace hangu {

inline void put_number(std::string& out, uint64_t number) {
  for (size_t shift = 0; shift < 64; shift += 8) {
    out += static_cast<char>(number >> shift & 0xff);
  }
}

inline void put_text(std::string& out, std::string_view text) {
  put_number(out, text.size());
  out += text;
}

/// Reads what these wrote. From the first that is not there on it gives zeros and empty texts.
class PackedFields {
 public:
  explicit PackedFields(std::string_view bytes)
      : left_(bytes) {}

  uint64_t number() {
    const std::string_view raw = take(sizeof(uint64_t));
    uint64_t number = 0;
    for (size_t i = raw.size(); i > 0; --i) {
      number = number << 8 | static_cast<unsigned char>(raw[i - 1]);
    }
    return number;
  }

  std::string text() { return std::string(take(number())); }

  /// Whether everything was there and nothing is left.
  bool at_end() const { return good_ && left_.empty(); }

  bool good() const { return good_; }

 private:
  std::string_view take(uint64_t size) {
    good_ = good_ && size <= left_.size();
    const std::string_view taken = good_ ? left_.substr(0, size) : std::string_view();
    left_.remove_prefix(taken.size());
    return taken;
  }

  std::string_view left_;
  bool good_ = true;
};

}  // namespace hangu
