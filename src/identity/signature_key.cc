#include "hangu/identity/signature_key.h"

#include <array>
#include <utility>

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

namespace hangu::identity {
namespace {

constexpr size_t kP256Bytes = 32;
constexpr size_t kPemBytesMax = 64UL * 1024;

struct ContextFree {
  void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};

struct BioFree {
  void operator()(BIO* bio) const noexcept { BIO_free(bio); }
};

struct PairFree {
  void operator()(ECDSA_SIG* pair) const noexcept { ECDSA_SIG_free(pair); }
};

const unsigned char* bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

const EVP_MD* digest_of(SignatureAlgorithm algorithm) {
  switch (algorithm) {
    case SignatureAlgorithm::kHmacSha256:
    case SignatureAlgorithm::kEcdsaP256Sha256:
    case SignatureAlgorithm::kRsaV15Sha256: return EVP_sha256();
    case SignatureAlgorithm::kHmacSha512:
    case SignatureAlgorithm::kRsaPssSha512: return EVP_sha512();
    case SignatureAlgorithm::kHmacSm3: return EVP_sm3();
    case SignatureAlgorithm::kEd25519: return nullptr;  // has its own
  }
  return nullptr;
}

bool is_p256(EVP_PKEY* key) {
  std::array<char, 64> name{};
  size_t size = 0;
  return EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
         EVP_PKEY_get_group_name(key, name.data(), name.size(), &size) == 1 &&
         std::string_view(name.data(), size) == "prime256v1";
}

/// What is wrong with a key for that use; empty: nothing.
std::string fault_of(EVP_PKEY* key, SignatureAlgorithm algorithm) {
  switch (algorithm) {
    case SignatureAlgorithm::kEd25519:
      return EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519 ? "" : "it is no key of Ed25519";
    case SignatureAlgorithm::kEcdsaP256Sha256:
      return is_p256(key) ? "" : "it is no key of the curve P-256";
    case SignatureAlgorithm::kRsaPssSha512:
    case SignatureAlgorithm::kRsaV15Sha256: {
      const int kind = EVP_PKEY_get_base_id(key);
      const bool pss = algorithm == SignatureAlgorithm::kRsaPssSha512;
      if (kind != EVP_PKEY_RSA && !(pss && kind == EVP_PKEY_RSA_PSS)) {
        return "it is no RSA key";
      }
      return EVP_PKEY_get_bits(key) >= SignatureKey::kRsaBitsMin
                 ? ""
                 : fmt::format("an RSA key of {} bits is too weak: at least {}",
                               EVP_PKEY_get_bits(key), SignatureKey::kRsaBitsMin);
    }
    default: return "hmac takes a `secret`";
  }
}

/// r and s of 32 bytes each (RFC 9421 §3.3.4) as OpenSSL wants them.
bool to_der(std::string_view signature, std::array<unsigned char, 80>& out, size_t& size) {
  if (signature.size() != 2 * kP256Bytes) {
    return false;
  }
  const std::unique_ptr<ECDSA_SIG, PairFree> pair(ECDSA_SIG_new());
  BIGNUM* const r = BN_bin2bn(bytes(signature), kP256Bytes, nullptr);
  BIGNUM* const s = BN_bin2bn(bytes(signature.substr(kP256Bytes)), kP256Bytes, nullptr);
  if (pair == nullptr || r == nullptr || s == nullptr || ECDSA_SIG_set0(pair.get(), r, s) != 1) {
    BN_free(r);
    BN_free(s);
    return false;
  }
  const int needed = i2d_ECDSA_SIG(pair.get(), nullptr);
  if (needed <= 0 || static_cast<size_t>(needed) > out.size()) {
    return false;
  }
  unsigned char* to = out.data();
  size = static_cast<size_t>(i2d_ECDSA_SIG(pair.get(), &to));
  return true;
}

}  // namespace

void SignatureKey::Free::operator()(evp_pkey_st* key) const noexcept {
  EVP_PKEY_free(key);
}

SignatureKey SignatureKey::of_secret(SignatureAlgorithm algorithm, std::string secret) {
  SignatureKey made(algorithm);
  made.secret_ = std::move(secret);
  return made;
}

Result<SignatureKey, std::string> SignatureKey::of_pem(SignatureAlgorithm algorithm,
                                                       std::string_view pem) {
  SignatureKey made(algorithm);
  const bool fits = pem.size() <= kPemBytesMax;
  const std::unique_ptr<BIO, BioFree> source(
      fits ? BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())) : nullptr);
  if (source != nullptr) {
    made.key_.reset(PEM_read_bio_PUBKEY(source.get(), nullptr, nullptr, nullptr));
  }
  ERR_clear_error();
  if (made.key_ == nullptr) {
    return Failure<std::string>{
        std::string("there is no public key as PEM in it (`BEGIN PUBLIC KEY`)")};
  }
  if (std::string fault = fault_of(made.key_.get(), algorithm); !fault.empty()) {
    return Failure<std::string>{std::move(fault)};
  }
  return made;
}

bool SignatureKey::verify_mac(std::string_view text, std::string_view signature) const noexcept {
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  unsigned size = 0;
  if (HMAC(digest_of(algorithm_), secret_.data(), static_cast<int>(secret_.size()), bytes(text),
           text.size(), mac.data(), &size) == nullptr) {
    ERR_clear_error();
    return false;
  }
  return signature.size() == size && CRYPTO_memcmp(mac.data(), signature.data(), size) == 0;
}

bool SignatureKey::verify(std::string_view text, std::string_view signature) const noexcept {
  if (uses_secret(algorithm_)) {
    return verify_mac(text, signature);
  }
  std::array<unsigned char, 80> der{};
  const unsigned char* shown = bytes(signature);
  size_t size = signature.size();
  if (algorithm_ == SignatureAlgorithm::kEcdsaP256Sha256) {
    if (!to_der(signature, der, size)) {
      return false;
    }
    shown = der.data();
  }
  const std::unique_ptr<EVP_MD_CTX, ContextFree> context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* options = nullptr;
  bool right =
      context != nullptr && EVP_DigestVerifyInit(context.get(), &options, digest_of(algorithm_),
                                                 nullptr, key_.get()) == 1;
  if (right && algorithm_ == SignatureAlgorithm::kRsaPssSha512) {
    right = EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) > 0 &&
            EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) > 0 &&
            EVP_PKEY_CTX_set_rsa_mgf1_md(options, EVP_sha512()) > 0;
  }
  right = right && EVP_DigestVerify(context.get(), shown, size, bytes(text), text.size()) == 1;
  ERR_clear_error();
  return right;
}

}  // namespace hangu::identity
