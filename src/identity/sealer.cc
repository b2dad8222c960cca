#include "hangu/identity/sealer.h"

#include <array>
#include <memory>
#include <vector>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "hangu/base/base64.h"
#include "hangu/base/hex.h"
#include "hangu/identity/key_derivation.h"

namespace hangu::identity {
namespace {

// What is sealed begins with one of these: by which cipher.
constexpr char kByAes = 1;
constexpr char kBySm4 = 2;

constexpr size_t kNonceBytes = 12;
constexpr size_t kTagBytes = 16;
static_assert(1 + kNonceBytes + kTagBytes == Sealer::overhead_bytes(SealCipher::kAes256Gcm));

constexpr size_t kSm4KeyBytes = 16;
constexpr size_t kCounterBytes = 16;  // the block that is counted from, random
constexpr size_t kMacBytes = 32;
static_assert(1 + kCounterBytes + kMacBytes == Sealer::overhead_bytes(SealCipher::kSm4CtrHmacSm3));

struct CipherContextFree {
  void operator()(EVP_CIPHER_CTX* context) const noexcept { EVP_CIPHER_CTX_free(context); }
};

struct CipherFree {
  void operator()(EVP_CIPHER* cipher) const noexcept { EVP_CIPHER_free(cipher); }
};

struct DigestFree {
  void operator()(EVP_MD* digest) const noexcept { EVP_MD_free(digest); }
};

/// What one thread seals with: made once.
struct Workspace {
  std::unique_ptr<EVP_CIPHER_CTX, CipherContextFree> context{EVP_CIPHER_CTX_new()};
  std::unique_ptr<EVP_CIPHER, CipherFree> cipher{EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr)};
  std::unique_ptr<EVP_CIPHER, CipherFree> sm4{EVP_CIPHER_fetch(nullptr, "SM4-CTR", nullptr)};
  std::unique_ptr<EVP_MD, DigestFree> sm3{EVP_MD_fetch(nullptr, "SM3", nullptr)};
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

// --- AES-256-GCM ------------------------------------------------------------------------------

/// version ‖ nonce ‖ ciphertext ‖ tag; the version is authenticated, too.
std::string encrypt(std::span<const uint8_t> key, std::string_view text) {
  const Workspace& work = workspace();
  EVP_CIPHER_CTX* const context = work.context.get();
  std::string out(Sealer::overhead_bytes(SealCipher::kAes256Gcm) + text.size(), '\0');
  out[0] = kByAes;
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
  constexpr size_t kOverhead = Sealer::overhead_bytes(SealCipher::kAes256Gcm);
  if (sealed.size() < kOverhead) {
    return false;
  }
  const size_t size = sealed.size() - kOverhead;
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

// --- SM4 in counter mode, HMAC-SM3 ------------------------------------------------------------

/// There and back: both are the same.
bool count_mode(std::span<const uint8_t> key, const unsigned char* counter, std::string_view from,
                unsigned char* to) {
  const Workspace& work = workspace();
  EVP_CIPHER_CTX* const context = work.context.get();
  int size = 0;
  return context != nullptr && work.sm4 != nullptr &&
         EVP_EncryptInit_ex2(context, work.sm4.get(), key.data(), counter, nullptr) == 1 &&
         EVP_EncryptUpdate(context, to, &size, bytes(from), static_cast<int>(from.size())) == 1 &&
         size == static_cast<int>(from.size());
}

bool authenticate(std::span<const uint8_t> key, std::string_view text, unsigned char* mac) {
  const Workspace& work = workspace();
  unsigned size = 0;
  return work.sm3 != nullptr &&
         HMAC(work.sm3.get(), key.data(), static_cast<int>(key.size()), bytes(text), text.size(),
              mac, &size) != nullptr &&
         size == kMacBytes;
}

/// version ‖ counter ‖ ciphertext ‖ MAC of all before it.
std::string encrypt_sm4(std::span<const uint8_t> key, std::string_view text) {
  std::string out(Sealer::overhead_bytes(SealCipher::kSm4CtrHmacSm3) + text.size(), '\0');
  out[0] = kBySm4;
  unsigned char* const counter = bytes(out) + 1;
  unsigned char* const cipher = counter + kCounterBytes;
  const std::string_view before_mac = std::string_view(out).substr(0, out.size() - kMacBytes);
  const bool good = RAND_bytes(counter, static_cast<int>(kCounterBytes)) == 1 &&
                    count_mode(key.first(kSm4KeyBytes), counter, text, cipher) &&
                    authenticate(key.subspan(kSm4KeyBytes), before_mac, cipher + text.size());
  return good ? out : std::string();
}

/// Nothing is decrypted before it has turned out to be ours.
bool decrypt_sm4(std::span<const uint8_t> key, std::string_view sealed, std::string& out) {
  if (sealed.size() < Sealer::overhead_bytes(SealCipher::kSm4CtrHmacSm3)) {
    return false;
  }
  const std::string_view before_mac = sealed.substr(0, sealed.size() - kMacBytes);
  const std::string_view mac = sealed.substr(before_mac.size());
  std::array<unsigned char, kMacBytes> wanted{};
  if (!authenticate(key.subspan(kSm4KeyBytes), before_mac, wanted.data()) ||
      CRYPTO_memcmp(mac.data(), wanted.data(), wanted.size()) != 0) {
    return false;
  }
  const std::string_view cipher = before_mac.substr(1 + kCounterBytes);
  out.resize(cipher.size());
  return count_mode(key.first(kSm4KeyBytes), bytes(sealed) + 1, cipher, bytes(out));
}

}  // namespace

Sealer::Sealer(std::span<const std::string> secrets, std::string_view purpose, SealCipher cipher)
    : cipher_(cipher) {
  const std::string for_sm4 = std::string(purpose) + " sm4";
  for (const std::string& secret : secrets) {
    Keys keys;
    // OpenSSL may have been told to do without SM3.
    keys.has_sm4 = derive_key(secret, for_sm4, keys.sm4, DigestKind::kSm3);
    if (derive_key(secret, purpose, keys.aes)) {
      keys_.push_back(keys);
    }
  }
}

std::string Sealer::seal(std::string_view text) const {
  if (keys_.empty()) {
    return {};
  }
  const Keys& keys = keys_.front();
  if (cipher_ == SealCipher::kAes256Gcm) {
    return encode_base64url(encrypt(keys.aes, text));
  }
  return keys.has_sm4 ? encode_base64url(encrypt_sm4(keys.sm4, text)) : std::string();
}

std::optional<std::string> Sealer::open(std::string_view sealed) const {
  std::optional<std::string> raw = decode_base64url(sealed);
  if (!raw || raw->empty() || (raw->front() != kByAes && raw->front() != kBySm4)) {
    return std::nullopt;
  }
  const bool by_aes = raw->front() == kByAes;
  std::string out;
  for (const Keys& keys : keys_) {
    if (by_aes ? decrypt(keys.aes, *raw, out) : keys.has_sm4 && decrypt_sm4(keys.sm4, *raw, out)) {
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

std::string random_digits(size_t count) {
  std::vector<uint8_t> raw(count);
  return RAND_bytes(raw.data(), static_cast<int>(count)) == 1 ? to_hex(raw) : std::string();
}

}  // namespace hangu::identity
