// Sealer: hides texts that clients keep for the gateway, such as sessions in cookies, and sees when
// anything of one was changed. AES-256-GCM, or SM4 in counter mode with HMAC-SM3 over its result;
// keys for each secret and purpose (HKDF), so that what was sealed for one purpose is not good for
// another. The first secret seals, by the cipher that was chosen; all of them open, by either:
// secrets and cipher can be changed without anybody noticing. Immutable; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hangu/identity/seal_cipher.h"

namespace hangu::identity {

class Sealer {
 public:
  /// What sealing adds, before it is written in base64url.
  static constexpr size_t overhead_bytes(SealCipher cipher) {
    return cipher == SealCipher::kAes256Gcm ? 1 + 12 + 16 : 1 + 16 + 32;
  }

  Sealer(std::span<const std::string> secrets, std::string_view purpose,
         SealCipher cipher = SealCipher::kAes256Gcm);

  /// In base64url. Empty: no randomness, or no secret.
  std::string seal(std::string_view text) const;

  /// nullopt: not what one of these secrets has sealed for this purpose.
  std::optional<std::string> open(std::string_view sealed) const;

 private:
  /// Of one secret.
  struct Keys {
    std::array<uint8_t, 32> aes{};
    std::array<uint8_t, 48> sm4{};  // 16 bytes to encrypt with, 32 to authenticate
    bool has_sm4 = false;
  };

  SealCipher cipher_;
  std::vector<Keys> keys_;
};

/// So many random bytes, in base64url. Empty: no randomness.
std::string random_text(size_t bytes);

/// The same in hexadecimal digits: for what people type, which must not look like an option.
std::string random_digits(size_t bytes);

}  // namespace hangu::identity
