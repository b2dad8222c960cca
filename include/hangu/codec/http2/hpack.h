// HPACK (RFC 7541): field sections as bytes, and back. One decoder and one encoder per connection:
// their dynamic tables are its state, so every block of the connection must pass through, in order,
// also one that nobody wants. What the fields mean is not known here. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "hangu/base/result.h"
#include "hangu/codec/http2/protocol.h"

namespace hangu::codec::http2 {

/// The dynamic table that both sides begin with (RFC 9113 §6.5.2), and the most we use of either.
inline constexpr uint32_t kHeaderTableBytes = 4096;

/// A name or a value longer than this, as it comes or decoded, is refused.
inline constexpr uint32_t kHpackStringBytesMax = 64 * 1024;

class FieldSink {
 public:
  /// A field as decoded, unchecked; the views live until the call returns.
  virtual void on_field(std::string_view name, std::string_view value) noexcept = 0;

 protected:
  ~FieldSink() = default;
};

class HpackDecoder {
 public:
  HpackDecoder();
  ~HpackDecoder();

  HpackDecoder(const HpackDecoder&) = delete;
  HpackDecoder& operator=(const HpackDecoder&) = delete;

  /// The next piece of a block; `last`: its end, `piece` may be empty. False: the block is no good
  /// and the tables differ from now on, which ends the connection (COMPRESSION_ERROR).
  [[nodiscard]] bool decode(std::string_view piece, bool last, FieldSink& sink) noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

class HpackEncoder {
 public:
  HpackEncoder();
  ~HpackEncoder();

  HpackEncoder(const HpackEncoder&) = delete;
  HpackEncoder& operator=(const HpackEncoder&) = delete;

  enum class Indexing : uint8_t {
    kAllowed,
    kNot,    // it changes with every message: only the name is worth a place in the table
    kNever,  // §7.1.3: a secret, here and on every hop behind
  };

  /// The peer's SETTINGS_HEADER_TABLE_SIZE: the next block says that it is followed. Of a larger
  /// table than kHeaderTableBytes no use is made.
  void set_table_limit(uint32_t bytes) noexcept;

  /// encode() writes at most this.
  static constexpr size_t bytes_max(std::string_view name, std::string_view value) {
    return 32 + name.size() + value.size();
  }

  /// Appends one field of a block at `out` and returns how many bytes. `name` in lower case.
  size_t encode(char* out, std::string_view name, std::string_view value,
                Indexing indexing = Indexing::kAllowed) noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hangu::codec::http2
