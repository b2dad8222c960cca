#include "hangu/tls/signature.h"

#include <array>

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "hangu/base/assert.h"
#include "hangu/base/hex.h"
#include "hangu/tls/digest.h"

#include "tls/openssl.h"

namespace hangu::tls {
namespace {

constexpr size_t kKeyBytes = 32;
constexpr size_t kSignatureBytes = 64;
constexpr size_t kIdDigits = 16;

using DigestContext = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>>;

std::string id_of(EVP_PKEY* key) {
  std::array<uint8_t, kKeyBytes> raw{};
  size_t size = raw.size();
  const bool got = EVP_PKEY_get_raw_public_key(key, raw.data(), &size) == 1;
  HANGU_ASSERT(got && size == raw.size());
  return sha256_hex({reinterpret_cast<const char*>(raw.data()), raw.size()}).substr(0, kIdDigits);
}

std::string text_of(BIO* memory) {
  char* text = nullptr;
  const long size = BIO_get_mem_data(memory, &text);
  return {text, static_cast<size_t>(size)};
}

std::string public_text(EVP_PKEY* key) {
  const Bio memory(BIO_new(BIO_s_mem()));
  const bool written = PEM_write_bio_PUBKEY(memory.get(), key) == 1;
  HANGU_ASSERT(written);
  return text_of(memory.get());
}

/// No key of these files has a passphrase: the default callback would ask the terminal.
int no_passphrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*data*/) {
  return -1;
}

Failure<std::string> load_failure(const std::string& path, const char* otherwise) {
  return {fmt::format("{}: {}", path, take_reason(otherwise))};
}

Result<Pkey, std::string> load_private(const std::string& path) {
  const Bio file(BIO_new_file(path.c_str(), "r"));
  if (file == nullptr) {
    return load_failure(path, "cannot be read");
  }
  Pkey key(PEM_read_bio_PrivateKey(file.get(), nullptr, no_passphrase, nullptr));
  if (key == nullptr || EVP_PKEY_get_id(key.get()) != EVP_PKEY_ED25519) {
    return load_failure(path, "holds no Ed25519 key in PEM");
  }
  return key;
}

}  // namespace

void PkeyFree::operator()(evp_pkey_st* key) const noexcept {
  EVP_PKEY_free(key);
}

VerifyingKey::VerifyingKey(Pkey key)
    : key_(std::move(key)),
      id_(id_of(key_.get())) {}

Result<VerifyingKey, std::string> VerifyingKey::load(const std::string& path) {
  const Bio file(BIO_new_file(path.c_str(), "r"));
  if (file == nullptr) {
    return load_failure(path, "cannot be read");
  }
  Pkey key(PEM_read_bio_PUBKEY(file.get(), nullptr, no_passphrase, nullptr));
  if (key == nullptr) {
    ERR_clear_error();
    auto whole = load_private(path);
    if (!whole) {
      return Failure<std::string>{whole.error()};
    }
    key = std::move(*whole);
  }
  if (EVP_PKEY_get_id(key.get()) != EVP_PKEY_ED25519) {
    return load_failure(path, "holds no Ed25519 key in PEM");
  }
  return VerifyingKey(std::move(key));
}

bool VerifyingKey::verify(std::string_view text, std::string_view signature) const {
  std::array<uint8_t, kSignatureBytes> raw{};
  if (!read_hex(signature, raw)) {
    return false;
  }
  const DigestContext context(EVP_MD_CTX_new());
  const bool good =
      EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key_.get()) == 1 &&
      EVP_DigestVerify(context.get(), raw.data(), raw.size(),
                       reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1;
  ERR_clear_error();
  return good;
}

std::string VerifyingKey::pem() const {
  return public_text(key_.get());
}

SigningKey::SigningKey(Pkey key)
    : key_(std::move(key)),
      id_(id_of(key_.get())) {}

Result<SigningKey, std::string> SigningKey::load(const std::string& path) {
  auto key = load_private(path);
  if (!key) {
    return Failure<std::string>{key.error()};
  }
  return SigningKey(std::move(*key));
}

SigningKey SigningKey::generate() {
  Pkey key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  HANGU_ASSERT(key != nullptr);
  return SigningKey(std::move(key));
}

std::string SigningKey::sign(std::string_view text) const {
  std::array<uint8_t, kSignatureBytes> raw{};
  size_t size = raw.size();
  const DigestContext context(EVP_MD_CTX_new());
  const bool done =
      EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_.get()) == 1 &&
      EVP_DigestSign(context.get(), raw.data(), &size,
                     reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1;
  HANGU_ASSERT(done && size == raw.size());
  return to_hex(raw);
}

std::string SigningKey::pem() const {
  const Bio memory(BIO_new(BIO_s_mem()));
  const bool written = PEM_write_bio_PrivateKey(memory.get(), key_.get(), nullptr, nullptr, 0,
                                                nullptr, nullptr) == 1;
  HANGU_ASSERT(written);
  return text_of(memory.get());
}

std::string SigningKey::public_pem() const {
  return public_text(key_.get());
}

}  // namespace hangu::tls
