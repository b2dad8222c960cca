// Makes keys and tokens as an issuer does, with OpenSSL's own signing.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

#include "hangu/base/base64.h"
#include "hangu/identity/jwk_set.h"

namespace hangu::identity {

using TestKey = std::unique_ptr<EVP_PKEY, KeyFree>;

inline TestKey make_rsa(size_t bits = 2048) {
  return TestKey(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", bits));
}

inline TestKey make_ec(const char* curve) {
  return TestKey(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", curve));
}

inline TestKey make_ed25519() {
  return TestKey(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
}

inline std::string number_of(const TestKey& key, const char* name, size_t bytes = 0) {
  BIGNUM* number = nullptr;
  EVP_PKEY_get_bn_param(key.get(), name, &number);
  const auto size = bytes != 0 ? static_cast<int>(bytes) : BN_num_bytes(number);
  std::string out(static_cast<size_t>(size), '\0');
  BN_bn2binpad(number, reinterpret_cast<unsigned char*>(out.data()), size);
  BN_free(number);
  return encode_base64url(out);
}

inline std::string rsa_jwk(const TestKey& key, std::string_view id, std::string_view more = "") {
  return fmt::format(R"({{"kty":"RSA","kid":"{}","n":"{}","e":"{}"{}}})", id,
                     number_of(key, OSSL_PKEY_PARAM_RSA_N), number_of(key, OSSL_PKEY_PARAM_RSA_E),
                     more);
}

inline std::string ec_jwk(const TestKey& key, std::string_view id, std::string_view curve,
                          size_t bytes) {
  return fmt::format(R"({{"kty":"EC","kid":"{}","crv":"{}","x":"{}","y":"{}"}})", id, curve,
                     number_of(key, OSSL_PKEY_PARAM_EC_PUB_X, bytes),
                     number_of(key, OSSL_PKEY_PARAM_EC_PUB_Y, bytes));
}

inline std::string ed25519_jwk(const TestKey& key, std::string_view id) {
  std::string raw(32, '\0');
  size_t size = raw.size();
  EVP_PKEY_get_raw_public_key(key.get(), reinterpret_cast<unsigned char*>(raw.data()), &size);
  return fmt::format(R"({{"kty":"OKP","kid":"{}","crv":"Ed25519","x":"{}"}})", id,
                     encode_base64url(raw));
}

inline std::string sign_raw(const TestKey& key, const EVP_MD* digest, bool pss,
                            std::string_view text) {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  EVP_PKEY_CTX* options = nullptr;
  EVP_DigestSignInit(context, &options, digest, nullptr, key.get());
  if (pss) {
    EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING);
    EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST);
  }
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  size_t size = 0;
  EVP_DigestSign(context, nullptr, &size, bytes, text.size());
  std::string signature(size, '\0');
  EVP_DigestSign(context, reinterpret_cast<unsigned char*>(signature.data()), &size, bytes,
                 text.size());
  signature.resize(size);
  EVP_MD_CTX_free(context);
  return signature;
}

/// Of ECDSA: r and s of so many bytes each, as tokens have them.
inline std::string pair_of(const std::string& der, size_t bytes) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  ECDSA_SIG* signature = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size()));
  std::string out(2 * bytes, '\0');
  auto* to = reinterpret_cast<unsigned char*>(out.data());
  BN_bn2binpad(ECDSA_SIG_get0_r(signature), to, static_cast<int>(bytes));
  BN_bn2binpad(ECDSA_SIG_get0_s(signature), to + bytes, static_cast<int>(bytes));
  ECDSA_SIG_free(signature);
  return out;
}

inline std::string signing_text(std::string_view header, std::string_view payload) {
  return encode_base64url(header) + "." + encode_base64url(payload);
}

inline std::string es256_token(const TestKey& key, std::string_view header,
                               std::string_view payload) {
  const std::string text = signing_text(header, payload);
  return text + "." + encode_base64url(pair_of(sign_raw(key, EVP_sha256(), false, text), 32));
}

inline std::string hmac_token(std::string_view secret, const EVP_MD* digest,
                              std::string_view header, std::string_view payload) {
  const std::string text = signing_text(header, payload);
  std::string mac(EVP_MAX_MD_SIZE, '\0');
  unsigned size = 0;
  HMAC(digest, secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(),
       reinterpret_cast<unsigned char*>(mac.data()), &size);
  mac.resize(size);
  return text + "." + encode_base64url(mac);
}

}  // namespace hangu::identity
