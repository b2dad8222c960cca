// gRPC-Web: gRPC for clients that cannot read trailers, such as pages in a browser. Messages are
// framed as in gRPC; the trailers come as one more frame of the body; the text form is all of that
// in base64. Pure functions and one small decoder.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "hangu/buffer/arena.h"
#include "hangu/http/header_block.h"

namespace hangu::http {

enum class GrpcWeb : uint8_t { kNone, kBinary, kText };

/// By the Content-Type: `application/grpc-web` or `application/grpc-web-text`, "+proto" and such
/// included.
GrpcWeb grpc_web_of(const HeaderBlock& headers) noexcept;

/// The type of the same messages in gRPC: "+proto" stays.
std::string_view grpc_type_of(std::string_view grpc_web_type, buffer::Arena& arena) noexcept;
/// The way back. A type that is not gRPC's stays as it is.
std::string_view grpc_web_type_of(std::string_view grpc_type, GrpcWeb form,
                                  buffer::Arena& arena) noexcept;

/// Bytes of the last frame of a body: the trailers.
size_t grpc_web_trailers_bytes(const HeaderBlock& trailers) noexcept;
/// Writes them at `out`; the end.
char* write_grpc_web_trailers(const HeaderBlock& trailers, char* out) noexcept;

constexpr size_t base64_bytes(size_t bytes) {
  return (bytes + 2) / 3 * 4;
}

/// With padding; the end.
char* write_base64(std::string_view bytes, char* out) noexcept;

/// Base64 that comes in pieces. Padding may stand wherever a sender ended a part (gRPC-Web's own
/// clients do that), so long as each part is a multiple of four characters.
class Base64Decoder {
 public:
  static constexpr size_t bytes_max(size_t characters) { return (characters + 3) / 4 * 3; }

  /// Decodes the next piece to `out`; the end, nullptr when it is no base64.
  char* decode(std::string_view piece, char* out) noexcept;

  /// Whether it may end here.
  bool complete() const { return held_ == 0; }

 private:
  std::array<uint8_t, 4> quad_{};
  uint8_t held_ = 0;
  uint8_t padding_ = 0;
};

}  // namespace hangu::http
