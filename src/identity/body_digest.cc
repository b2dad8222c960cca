#include "hangu/identity/body_digest.h"

#include <algorithm>
#include <string>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "hangu/base/base64.h"
#include "hangu/base/letter_case.h"
#include "hangu/base/parse.h"
#include "hangu/identity/signature_fields.h"

namespace hangu::identity {
namespace {

std::optional<BodyDigest> of_base64(BodyDigestKind kind, std::string_view text) {
  BodyDigest digest{.kind = kind};
  const std::optional<std::string> decoded = decode_base64(text);
  if (!decoded || decoded->size() != digest.size()) {
    return std::nullopt;
  }
  std::copy(decoded->begin(), decoded->end(), digest.bytes.begin());
  return digest;
}

std::optional<BodyDigest> of_hex(BodyDigestKind kind, std::string_view text) {
  BodyDigest digest{.kind = kind};
  for (size_t i = 0; i < digest.size(); ++i) {
    const int high = hex_digit_value(text[2 * i]);
    const int low = hex_digit_value(text[2 * i + 1]);
    if (high < 0 || low < 0) {
      return std::nullopt;
    }
    digest.bytes[i] = static_cast<uint8_t>(high << 4 | low);
  }
  return digest;
}

bool same_name(std::string_view name, std::string_view lower) {
  return std::equal(name.begin(), name.end(), lower.begin(), lower.end(),
                    [](char a, char b) { return to_lower(a) == b; });
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) {
    text.remove_prefix(1);
  }
  while (text.ends_with(' ') || text.ends_with('\t')) {
    text.remove_suffix(1);
  }
  return text;
}

}  // namespace

std::optional<BodyDigest> parse_content_digest(std::string_view field) {
  if (const auto strong = find_bytes(field, "sha-512")) {
    return of_base64(BodyDigestKind::kSha512, *strong);
  }
  const auto found = find_bytes(field, "sha-256");
  return found ? of_base64(BodyDigestKind::kSha256, *found) : std::nullopt;
}

std::optional<BodyDigest> parse_legacy_digest(std::string_view field) {
  std::optional<BodyDigest> best;
  if (field.size() > kSignatureFieldBytesMax) {
    return std::nullopt;
  }
  for (size_t at = 0; at <= field.size();) {
    const size_t end = std::min(field.find(',', at), field.size());
    const std::string_view part = trimmed(field.substr(at, end - at));
    at = end + 1;
    const size_t equals = part.find('=');
    if (equals == std::string_view::npos) {
      return std::nullopt;
    }
    const std::string_view name = part.substr(0, equals);
    const bool strong = same_name(name, "sha-512");
    if (!strong && !same_name(name, "sha-256")) {
      continue;
    }
    const auto digest = of_base64(strong ? BodyDigestKind::kSha512 : BodyDigestKind::kSha256,
                                  part.substr(equals + 1));
    if (!digest) {
      return std::nullopt;
    }
    if (!best || strong) {
      best = digest;
    }
  }
  return best;
}

std::optional<BodyDigest> parse_bare_digest(BodyDigestKind kind, std::string_view text) {
  const size_t hex_digits = 2 * BodyDigest{.kind = kind}.size();
  return text.size() == hex_digits ? of_hex(kind, text) : of_base64(kind, text);
}

BodyHasher::BodyHasher(BodyDigestKind kind)
    : context_(EVP_MD_CTX_new()),
      good_(context_ != nullptr &&
            EVP_DigestInit_ex(context_,
                              kind == BodyDigestKind::kSha512 ? EVP_sha512() : EVP_sha256(),
                              nullptr) == 1) {}

BodyHasher::~BodyHasher() {
  EVP_MD_CTX_free(context_);
}

void BodyHasher::add(std::string_view piece) noexcept {
  good_ = good_ && EVP_DigestUpdate(context_, piece.data(), piece.size()) == 1;
}

bool BodyHasher::matches(const BodyDigest& wanted) noexcept {
  std::array<unsigned char, EVP_MAX_MD_SIZE> found{};
  unsigned size = 0;
  good_ = good_ && EVP_DigestFinal_ex(context_, found.data(), &size) == 1;
  return good_ && size == wanted.size() &&
         CRYPTO_memcmp(found.data(), wanted.bytes.data(), size) == 0;
}

}  // namespace hangu::identity
