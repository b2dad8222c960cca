#include "hangu/http/request_id.h"

#include <array>

#include "hangu/base/hex.h"
#include "hangu/http/text.h"

namespace hangu::http {
namespace {

constexpr std::array<bool, 256> make_table() {
  std::array<bool, 256> table{};
  for (unsigned c = 0; c < 128; ++c) {
    table[c] = is_alnum(static_cast<char>(c));
  }
  for (const char c : {'-', '.', '_', '~', ':', '=', '+', '/', '@'}) {
    table[static_cast<unsigned char>(c)] = true;
  }
  return table;
}

constexpr std::array<bool, 256> kSafe = make_table();

}  // namespace

bool valid_request_id(std::string_view id) noexcept {
  if (id.empty() || id.size() > kRequestIdBytesMax) {
    return false;
  }
  for (const char c : id) {
    if (!kSafe[static_cast<unsigned char>(c)]) {
      return false;
    }
  }
  return true;
}

void write_uuid_v7(uint64_t unix_ms, std::span<const uint8_t, 10> random,
                   std::span<char, kUuidChars> out) noexcept {
  std::array<uint8_t, 16> bytes;
  for (size_t i = 0; i < 6; ++i) {
    bytes[i] = static_cast<uint8_t>(unix_ms >> (40 - 8 * i));
  }
  for (size_t i = 0; i < random.size(); ++i) {
    bytes[6 + i] = random[i];
  }
  bytes[6] = static_cast<uint8_t>(0x70 | (bytes[6] & 0x0f));  // version
  bytes[8] = static_cast<uint8_t>(0x80 | (bytes[8] & 0x3f));  // variant
  char* to = out.data();
  const std::span<const uint8_t> all(bytes);
  to = put_hex(to, all.first(4));
  for (const size_t begin : {4, 6, 8}) {
    *to++ = '-';
    to = put_hex(to, all.subspan(begin, 2));
  }
  *to++ = '-';
  put_hex(to, all.last(6));
}

}  // namespace hangu::http
