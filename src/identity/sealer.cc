#include "hangu/identity/sealer.h"

#include <memory>

#include <openssl/evp.h>
#include <openssl/rand.h>

#include "hangu/base/base64.h"
#include "hangu/identity/key_derivation.h"

namespace hangu::identity {
namespace {

constexpr char kVersion = 1;
constexpr size_t kNonceBytes = 12;
constexpr size_t kTagBytes = 16;
static_assert(1 + kNonceBytes + kTagBytes == Sealer::kOverheadBytes);

struct CipherContextFree {
  void operator()(EVP_CIPHER_CTX* context) const noexcept { EVP_CIPHER_CTX_free(context); }
};

struct CipherFree {
  void operator()(EVP_CIPHER* cipher) const noexcept { EVP_CIPHER_free(cipher); }
};

/// What one thread seals with: made once.
struct Workspace {
  std::unique_ptr<EVP_CIPHER_CTX, CipherContextFree> context{EVP_CIPHER_CTX_new()};
  std::unique_ptr<EVP_CIPHER, CipherFree> cipher{EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr)};
};

const Workspace& workspace() {
  thread_local const Workspace kWorkspace;
  return kWorkspace;
}

unsigned char* bytes(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

const unsigned char* bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

/// version ‖ nonce ‖ ciphertext ‖ tag; the version is authenticated, too.
std::string encrypt(std::span<const uint8_t> key, std::string_view text) {
  const Workspace& work = workspace();
  EVP_CIPHER_CTX* const context = work.context.get();
  std::string out(Sealer::kOverheadBytes + text.size(), '\0');
  out[0] = kVersion;
  unsigned char* const nonce = bytes(out) + 1;
  unsigned char* const cipher = nonce + kNonceBytes;
  int size = 0;
  const bool good =
      context != nullptr && work.cipher != nullptr &&
      RAND_bytes(nonce, static_cast<int>(kNonceBytes)) == 1 &&
      EVP_EncryptInit_ex2(context, work.cipher.get(), key.data(), nonce, nullptr) == 1 &&
      EVP_EncryptUpdate(context, nullptr, &size, bytes(out), 1) == 1 &&
      EVP_EncryptUpdate(context, cipher, &size, bytes(text), static_cast<int>(text.size())) == 1 &&
      EVP_EncryptFinal_ex(context, cipher + text.size(), &size) == 1 &&
      EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, static_cast<int>(kTagBytes),
                          cipher + text.size()) == 1;
  return good ? out : std::string();
}

bool decrypt(std::span<const uint8_t> key, std::string& sealed, std::string& out) {
  const Workspace& work = workspace();
  EVP_CIPHER_CTX* const context = work.context.get();
  const size_t size = sealed.size() - Sealer::kOverheadBytes;
  unsigned char* const nonce = bytes(sealed) + 1;
  unsigned char* const cipher = nonce + kNonceBytes;
  out.resize(size);
  int written = 0;
  return context != nullptr && work.cipher != nullptr &&
         EVP_DecryptInit_ex2(context, work.cipher.get(), key.data(), nonce, nullptr) == 1 &&
         EVP_DecryptUpdate(context, nullptr, &written, bytes(sealed), 1) == 1 &&
         EVP_DecryptUpdate(context, bytes(out), &written, cipher, static_cast<int>(size)) == 1 &&
         EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, static_cast<int>(kTagBytes),
                             cipher + size) == 1 &&
         EVP_DecryptFinal_ex(context, bytes(out) + size, &written) == 1;
}

}  // namespace

Sealer::Sealer(std::span<const std::string> secrets, std::string_view purpose) {
  for (const std::string& secret : secrets) {
    Key key{};
    if (derive_key(secret, purpose, key)) {
      keys_.push_back(key);
    }
  }
}

std::string Sealer::seal(std::string_view text) const {
  return keys_.empty() ? std::string() : encode_base64url(encrypt(keys_.front(), text));
}

std::optional<std::string> Sealer::open(std::string_view sealed) const {
  std::optional<std::string> raw = decode_base64url(sealed);
  if (!raw || raw->size() < kOverheadBytes || raw->front() != kVersion) {
    return std::nullopt;
  }
  std::string out;
  for (const Key& key : keys_) {
    if (decrypt(key, *raw, out)) {
      return out;
    }
  }
  return std::nullopt;
}

std::string random_text(size_t count) {
  std::string raw(count, '\0');
  return RAND_bytes(bytes(raw), static_cast<int>(count)) == 1 ? encode_base64url(raw)
                                                              : std::string();
}

}  // namespace hangu::identity
