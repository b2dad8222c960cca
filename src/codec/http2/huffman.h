// The Huffman code of HPACK (RFC 7541 §5.2, Appendix B). Pure functions.
#pragma once

#include <cstddef>
#include <string_view>

namespace hangu::codec::http2 {

size_t huffman_encoded_bytes(std::string_view text) noexcept;
/// Writes huffman_encoded_bytes() at `out`; the end.
char* huffman_encode(std::string_view text, char* out) noexcept;

/// What `bytes` coded bytes can become at most: the shortest code has five bits.
constexpr size_t huffman_decoded_max(size_t bytes) {
  return bytes * 8 / 5;
}

/// Writes at most huffman_decoded_max() at `out`; the end, or nullptr for what no encoder makes:
/// the symbol EOS, padding of a byte and more, padding that is not EOS's beginning.
char* huffman_decode(std::string_view coded, char* out) noexcept;

}  // namespace hangu::codec::http2
