#include "hangu/tls/keyed_hash.h"

#include <array>

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "hangu/base/assert.h"

namespace hangu::tls {

std::string keyed_hash(std::string_view key, std::string_view text) {
  constexpr size_t kBytesKept = 16;
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int bytes = 0;
  const auto* made =
      HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &bytes);
  HANGU_ASSERT(made != nullptr && bytes >= kBytesKept);
  std::string hex;
  for (size_t i = 0; i < kBytesKept; ++i) {
    hex += fmt::format("{:02x}", digest[i]);
  }
  return hex;
}

}  // namespace hangu::tls
