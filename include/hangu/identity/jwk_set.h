// JwkSet: the public keys (RFC 7517) that an issuer signs with, ready to verify. Keys that are of
// no use here (for encryption, of unknown types, too weak) are left out and named. Immutable once
// parsed; any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hangu/base/result.h"
#include "hangu/identity/jwt_algorithm.h"

struct evp_pkey_st;

namespace hangu::identity {

enum class KeyKind : uint8_t { kRsa, kP256, kP384, kP521, kEd25519, kSecret };

struct KeyFree {
  void operator()(evp_pkey_st* key) const noexcept;
};

struct Jwk {
  std::string id;         // `kid`; may be empty
  std::string algorithm;  // `alg`; empty: what its kind allows
  KeyKind kind = KeyKind::kRsa;
  std::unique_ptr<evp_pkey_st, KeyFree> key;  // null for kSecret
  std::string secret;

  /// Whether a signature by `wanted` can be of this key: the key decides, not the token.
  bool suits(JwtAlgorithm wanted) const noexcept;
};

class JwkSet {
 public:
  static constexpr size_t kKeysMax = 64;
  static constexpr size_t kBytesMax = 256 * 1024;
  static constexpr int kRsaBitsMin = 2048;

  JwkSet() = default;

  /// `notes` gets a line for each key that was left out. The error is one line for an operator.
  static Result<JwkSet, std::string> parse(std::string_view json,
                                           std::vector<std::string>* notes = nullptr);

  /// One shared secret, for HS256 and its kin.
  static JwkSet of_secret(std::string secret);

  const std::vector<Jwk>& keys() const { return keys_; }

  bool knows(std::string_view id) const noexcept;

 private:
  std::vector<Jwk> keys_;
};

}  // namespace hangu::identity
