#include "hangu/identity/key_derivation.h"

#include <memory>

#include <openssl/evp.h>
#include <openssl/kdf.h>

namespace hangu::identity {
namespace {

struct DerivationFree {
  void operator()(EVP_PKEY_CTX* context) const noexcept { EVP_PKEY_CTX_free(context); }
};

const unsigned char* octets(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

bool derive_key(std::string_view secret, std::string_view purpose, std::span<uint8_t> key,
                DigestKind digest) {
  const std::unique_ptr<EVP_PKEY_CTX, DerivationFree> context(
      EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, nullptr));
  const EVP_MD* const kind = digest == DigestKind::kSm3 ? EVP_sm3() : EVP_sha256();
  size_t size = key.size();
  return context != nullptr && EVP_PKEY_derive_init(context.get()) == 1 &&
         EVP_PKEY_CTX_set_hkdf_md(context.get(), kind) == 1 &&
         EVP_PKEY_CTX_set1_hkdf_key(context.get(), octets(secret),
                                    static_cast<int>(secret.size())) == 1 &&
         EVP_PKEY_CTX_add1_hkdf_info(context.get(), octets(purpose),
                                     static_cast<int>(purpose.size())) == 1 &&
         EVP_PKEY_derive(context.get(), key.data(), &size) == 1 && size == key.size();
}

}  // namespace hangu::identity
