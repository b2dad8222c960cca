// JwtAlgorithm: how a token is signed, and what that is called in tokens and configs.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

namespace hangu::identity {

/// Of signatures (RFC 7518 §3, RFC 8037 §3.1).
enum class JwtAlgorithm : uint8_t {
  kRs256,
  kRs384,
  kRs512,
  kPs256,
  kPs384,
  kPs512,
  kEs256,
  kEs384,
  kEs512,
  kEdDsa,
  kHs256,
  kHs384,
  kHs512,
};

inline constexpr std::array<std::pair<std::string_view, JwtAlgorithm>, 13> kJwtAlgorithms = {{
    {"RS256", JwtAlgorithm::kRs256},
    {"RS384", JwtAlgorithm::kRs384},
    {"RS512", JwtAlgorithm::kRs512},
    {"PS256", JwtAlgorithm::kPs256},
    {"PS384", JwtAlgorithm::kPs384},
    {"PS512", JwtAlgorithm::kPs512},
    {"ES256", JwtAlgorithm::kEs256},
    {"ES384", JwtAlgorithm::kEs384},
    {"ES512", JwtAlgorithm::kEs512},
    {"EdDSA", JwtAlgorithm::kEdDsa},
    {"HS256", JwtAlgorithm::kHs256},
    {"HS384", JwtAlgorithm::kHs384},
    {"HS512", JwtAlgorithm::kHs512},
}};

/// By a secret that both sides know, not by the issuer's own key.
constexpr bool uses_secret(JwtAlgorithm algorithm) noexcept {
  return algorithm == JwtAlgorithm::kHs256 || algorithm == JwtAlgorithm::kHs384 ||
         algorithm == JwtAlgorithm::kHs512;
}

}  // namespace hangu::identity
