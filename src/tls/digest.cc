#include "hangu/tls/digest.h"

#include <openssl/evp.h>

#include "hangu/base/assert.h"

namespace hangu::tls {

Sha1Digest sha1(std::string_view bytes) noexcept {
  Sha1Digest digest{};
  const int done =
      EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, EVP_sha1(), nullptr);
  HANGU_ASSERT(done == 1);
  return digest;
}

}  // namespace hangu::tls
