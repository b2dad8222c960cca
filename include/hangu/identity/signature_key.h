// SignatureKey: what a client's requests are verified with: a shared secret, or a public key. The
// key says how it is used, never the request. Immutable; any thread. A MAC takes a microsecond, a
// public key up to 0.1 ms.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "hangu/base/result.h"
#include "hangu/identity/signature_algorithm.h"

struct evp_pkey_st;

namespace hangu::identity {

class SignatureKey {
 public:
  static constexpr int kRsaBitsMin = 2048;
  static constexpr size_t kSignatureBytesMax = 1024;

  /// For hmac-*.
  static SignatureKey of_secret(SignatureAlgorithm algorithm, std::string secret);

  /// A public key as PEM; the error is one line for an operator.
  static Result<SignatureKey, std::string> of_pem(SignatureAlgorithm algorithm,
                                                  std::string_view pem);

  SignatureAlgorithm algorithm() const { return algorithm_; }

  /// Constant in time for a MAC. False as well if the library does not offer the algorithm.
  bool verify(std::string_view text, std::string_view signature) const noexcept;

 private:
  struct Free {
    void operator()(evp_pkey_st* key) const noexcept;
  };

  explicit SignatureKey(SignatureAlgorithm algorithm)
      : algorithm_(algorithm) {}

  bool verify_mac(std::string_view text, std::string_view signature) const noexcept;

  SignatureAlgorithm algorithm_;
  std::string secret_;
  std::unique_ptr<evp_pkey_st, Free> key_;
};

}  // namespace hangu::identity
