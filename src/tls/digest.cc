#include "hangu/tls/digest.h"

#include <openssl/evp.h>

#include "hangu/base/assert.h"
#include "hangu/base/file_bytes.h"
#include "hangu/base/hex.h"

namespace hangu::tls {

Sha1Digest sha1(std::string_view bytes) noexcept {
  Sha1Digest digest{};
  const int done =
      EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, EVP_sha1(), nullptr);
  HANGU_ASSERT(done == 1);
  return digest;
}

Digester::Digester(DigestKind kind)
    : algorithm_(EVP_MD_fetch(nullptr, kind == DigestKind::kSm3 ? "SM3" : "SHA256", nullptr)),
      context_(EVP_MD_CTX_new()) {
  HANGU_ASSERT(algorithm_ != nullptr && context_ != nullptr);
}

Digester::~Digester() {
  EVP_MD_CTX_free(context_);
  EVP_MD_free(algorithm_);
}

Digest Digester::operator()(std::string_view bytes) noexcept {
  Digest digest{};
  const bool done = EVP_DigestInit_ex2(context_, algorithm_, nullptr) == 1 &&
                    EVP_DigestUpdate(context_, bytes.data(), bytes.size()) == 1 &&
                    EVP_DigestFinal_ex(context_, digest.data(), nullptr) == 1;
  HANGU_ASSERT(done);
  return digest;
}

std::string sha256_hex(std::string_view bytes) {
  return to_hex(Digester(DigestKind::kSha256)(bytes));
}

std::string sha256_of_file(const std::string& path) {
  const Result<std::string, std::error_code> bytes = read_whole_file(path);
  return bytes ? sha256_hex(*bytes) : std::string();
}

}  // namespace hangu::tls
