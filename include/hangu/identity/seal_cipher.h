// SealCipher: what Sealer hides texts with.
#pragma once

#include <cstdint>

namespace hangu::identity {

enum class SealCipher : uint8_t {
  kAes256Gcm,
  kSm4CtrHmacSm3,  // GB/T 32907 and GB/T 32905: encrypted, then authenticated
};

}  // namespace hangu::identity
