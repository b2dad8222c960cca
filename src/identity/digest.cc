#include "hangu/identity/digest.h"

#include <array>
#include <bit>
#include <memory>

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "hangu/base/base64.h"
#include "hangu/base/hex.h"

namespace hangu::identity {
namespace {

struct ContextFree {
  void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};

struct DigestFree {
  void operator()(EVP_MD* digest) const noexcept { EVP_MD_free(digest); }
};

/// What one thread computes digests with: made once, so that a request allocates nothing.
struct Workspace {
  std::unique_ptr<EVP_MD_CTX, ContextFree> context{EVP_MD_CTX_new()};
  std::unique_ptr<EVP_MD, DigestFree> sha256{EVP_MD_fetch(nullptr, "SHA256", nullptr)};
  std::unique_ptr<EVP_MD, DigestFree> sm3{EVP_MD_fetch(nullptr, "SM3", nullptr)};
};

}  // namespace

std::optional<StoredDigest> parse_digest(std::string_view text) noexcept {
  StoredDigest stored;
  if (text.starts_with("sha256:")) {
    text.remove_prefix(7);
  } else if (text.starts_with("sm3:")) {
    stored.kind = DigestKind::kSm3;
    text.remove_prefix(4);
  } else {
    return std::nullopt;
  }
  return read_hex(text, stored.digest) ? std::optional(stored) : std::nullopt;
}

std::string to_string(const StoredDigest& digest) {
  return (digest.kind == DigestKind::kSm3 ? "sm3:" : "sha256:") + to_hex(digest.digest);
}

namespace {

const Workspace& workspace() {
  thread_local const Workspace kWorkspace;
  return kWorkspace;
}

}  // namespace

bool compute_digest(DigestKind kind, std::string_view text, Digest& out) noexcept {
  const Workspace& work = workspace();
  EVP_MD_CTX* const context = work.context.get();
  const EVP_MD* const digest = kind == DigestKind::kSm3 ? work.sm3.get() : work.sha256.get();
  return context != nullptr && digest != nullptr &&
         EVP_DigestInit_ex2(context, digest, nullptr) == 1 &&
         EVP_DigestUpdate(context, text.data(), text.size()) == 1 &&
         EVP_DigestFinal_ex(context, out.data(), nullptr) == 1;
}

bool compute_digest(std::span<const std::string_view> parts, Digest& out) noexcept {
  const Workspace& work = workspace();
  EVP_MD_CTX* const context = work.context.get();
  const EVP_MD* const digest = work.sha256.get();
  bool good =
      context != nullptr && digest != nullptr && EVP_DigestInit_ex2(context, digest, nullptr) == 1;
  for (const std::string_view part : parts) {
    const auto size = std::bit_cast<std::array<char, sizeof(uint64_t)>>(uint64_t{part.size()});
    good = good && EVP_DigestUpdate(context, size.data(), size.size()) == 1 &&
           EVP_DigestUpdate(context, part.data(), part.size()) == 1;
  }
  return good && EVP_DigestFinal_ex(context, out.data(), nullptr) == 1;
}

std::string make_secret(std::string_view prefix) {
  Digest secret{};
  if (RAND_bytes(secret.data(), static_cast<int>(secret.size())) != 1) {
    return {};
  }
  return std::string(prefix) +
         encode_base64url({reinterpret_cast<const char*>(secret.data()), secret.size()});
}

std::string make_api_key(std::string_view id) {
  return make_secret(fmt::format("hk_{}_", id));
}

}  // namespace hangu::identity
