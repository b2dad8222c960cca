#include "hangu/identity/password_hash.h"

#include <argon2.h>
#include <crypt.h>

#include <array>
#include <memory>

#include <openssl/crypto.h>
#include <openssl/rand.h>

namespace hangu::identity {
namespace {

// RFC 9106 §4 and OWASP: 19 MiB, two passes.
constexpr uint32_t kMemoryKiB = 19 * 1024;
constexpr uint32_t kPasses = 2;
constexpr uint32_t kLanes = 1;
constexpr size_t kSaltBytes = 16;
constexpr size_t kHashBytes = 32;

bool verify_bcrypt(const std::string& hash, std::string_view password) {
  // It would end there.
  if (password.find('\0') != std::string_view::npos) {
    return false;
  }
  const auto workspace = std::make_unique<crypt_data>();
  std::string text(password);
  const char* const made = crypt_r(text.c_str(), hash.c_str(), workspace.get());
  const std::string_view result = made != nullptr ? made : "";
  const bool same =
      result.size() == hash.size() && CRYPTO_memcmp(result.data(), hash.data(), hash.size()) == 0;
  wipe(text);
  OPENSSL_cleanse(workspace.get(), sizeof(crypt_data));
  return same;
}

}  // namespace

bool verify_password(const std::string& hash, std::string_view password) noexcept {
  if (hash.starts_with("$argon2id$")) {
    return argon2id_verify(hash.c_str(), password.data(), password.size()) == ARGON2_OK;
  }
  return hash.starts_with("$2") && verify_bcrypt(hash, password);
}

void wipe(std::string& secret) noexcept {
  OPENSSL_cleanse(secret.data(), secret.size());
}

std::string hash_password(std::string_view password) {
  std::array<unsigned char, kSaltBytes> salt{};
  if (RAND_bytes(salt.data(), static_cast<int>(salt.size())) != 1) {
    return {};
  }
  std::string encoded(
      argon2_encodedlen(kPasses, kMemoryKiB, kLanes, kSaltBytes, kHashBytes, Argon2_id), '\0');
  const int error =
      argon2id_hash_encoded(kPasses, kMemoryKiB, kLanes, password.data(), password.size(),
                            salt.data(), salt.size(), kHashBytes, encoded.data(), encoded.size());
  encoded.resize(error == ARGON2_OK ? encoded.find('\0') : 0);
  return encoded;
}

}  // namespace hangu::identity
