// SignatureAlgorithm: how a request is signed, and what that is called in requests and configs
// (RFC 9421 §3.3; hmac-sha512 and hmac-sm3 are not registered there, but in use).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

namespace hangu::identity {

enum class SignatureAlgorithm : uint8_t {
  kHmacSha256,
  kHmacSha512,
  kHmacSm3,
  kEd25519,
  kEcdsaP256Sha256,
  kRsaPssSha512,
  kRsaV15Sha256,
};

inline constexpr std::array<std::pair<std::string_view, SignatureAlgorithm>, 7>
    kSignatureAlgorithms = {{
        {"hmac-sha256", SignatureAlgorithm::kHmacSha256},
        {"hmac-sha512", SignatureAlgorithm::kHmacSha512},
        {"hmac-sm3", SignatureAlgorithm::kHmacSm3},
        {"ed25519", SignatureAlgorithm::kEd25519},
        {"ecdsa-p256-sha256", SignatureAlgorithm::kEcdsaP256Sha256},
        {"rsa-pss-sha512", SignatureAlgorithm::kRsaPssSha512},
        {"rsa-v1_5-sha256", SignatureAlgorithm::kRsaV15Sha256},
    }};

/// By a secret that both sides know.
constexpr bool uses_secret(SignatureAlgorithm algorithm) noexcept {
  return algorithm <= SignatureAlgorithm::kHmacSm3;
}

constexpr std::string_view to_string(SignatureAlgorithm algorithm) noexcept {
  return kSignatureAlgorithms[static_cast<size_t>(algorithm)].first;
}

}  // namespace hangu::identity
