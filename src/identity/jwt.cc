#include "hangu/identity/jwt.h"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>

#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

#include "hangu/base/base64.h"
#include "hangu/base/letter_case.h"

namespace hangu::identity {
namespace {

struct ContextFree {
  void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};

struct SignatureFree {
  void operator()(ECDSA_SIG* signature) const noexcept { ECDSA_SIG_free(signature); }
};

const unsigned char* bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

const EVP_MD* digest_of(JwtAlgorithm algorithm) {
  switch (algorithm) {
    case JwtAlgorithm::kRs256:
    case JwtAlgorithm::kPs256:
    case JwtAlgorithm::kEs256:
    case JwtAlgorithm::kHs256: return EVP_sha256();
    case JwtAlgorithm::kRs384:
    case JwtAlgorithm::kPs384:
    case JwtAlgorithm::kEs384:
    case JwtAlgorithm::kHs384: return EVP_sha384();
    case JwtAlgorithm::kRs512:
    case JwtAlgorithm::kPs512:
    case JwtAlgorithm::kEs512:
    case JwtAlgorithm::kHs512: return EVP_sha512();
    case JwtAlgorithm::kEdDsa: return nullptr;  // has its own
  }
  return nullptr;
}

bool is_pss(JwtAlgorithm algorithm) {
  return algorithm == JwtAlgorithm::kPs256 || algorithm == JwtAlgorithm::kPs384 ||
         algorithm == JwtAlgorithm::kPs512;
}

/// Two numbers of a fixed length (RFC 7518 §3.4), as OpenSSL wants them.
std::optional<std::string> to_der(std::string_view signature, size_t coordinate_bytes) {
  if (signature.size() != 2 * coordinate_bytes) {
    return std::nullopt;
  }
  const std::unique_ptr<ECDSA_SIG, SignatureFree> pair(ECDSA_SIG_new());
  const int half = static_cast<int>(coordinate_bytes);
  BIGNUM* const r = BN_bin2bn(bytes(signature), half, nullptr);
  BIGNUM* const s = BN_bin2bn(bytes(signature.substr(coordinate_bytes)), half, nullptr);
  if (pair == nullptr || r == nullptr || s == nullptr || ECDSA_SIG_set0(pair.get(), r, s) != 1) {
    BN_free(r);
    BN_free(s);
    return std::nullopt;
  }
  const int size = i2d_ECDSA_SIG(pair.get(), nullptr);
  if (size <= 0) {
    return std::nullopt;
  }
  std::string der(static_cast<size_t>(size), '\0');
  auto* to = reinterpret_cast<unsigned char*>(der.data());
  i2d_ECDSA_SIG(pair.get(), &to);
  return der;
}

size_t coordinate_bytes(KeyKind kind) {
  constexpr size_t kBytes256 = 32;
  constexpr size_t kBytes384 = 48;
  constexpr size_t kBytes521 = 66;
  switch (kind) {
    case KeyKind::kP256: return kBytes256;
    case KeyKind::kP384: return kBytes384;
    case KeyKind::kP521: return kBytes521;
    default: return 0;
  }
}

bool verify_secret(const Jwk& key, JwtAlgorithm algorithm, std::string_view text,
                   std::string_view signature) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  unsigned size = 0;
  if (HMAC(digest_of(algorithm), key.secret.data(), static_cast<int>(key.secret.size()),
           bytes(text), text.size(), mac.data(), &size) == nullptr) {
    return false;
  }
  return signature.size() == size && CRYPTO_memcmp(mac.data(), signature.data(), size) == 0;
}

bool verify_public(const Jwk& key, JwtAlgorithm algorithm, std::string_view text,
                   std::string_view signature) {
  std::optional<std::string> der;
  if (const size_t coordinate = coordinate_bytes(key.kind); coordinate != 0) {
    der = to_der(signature, coordinate);
    if (!der) {
      return false;
    }
    signature = *der;
  }
  const std::unique_ptr<EVP_MD_CTX, ContextFree> context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* options = nullptr;
  if (context == nullptr || EVP_DigestVerifyInit(context.get(), &options, digest_of(algorithm),
                                                 nullptr, key.key.get()) != 1) {
    return false;
  }
  if (is_pss(algorithm) &&
      (EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) <= 0 ||
       EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) <= 0)) {
    return false;
  }
  return EVP_DigestVerify(context.get(), bytes(signature), signature.size(), bytes(text),
                          text.size()) == 1;
}

bool verify_with(const Jwk& key, JwtAlgorithm algorithm, std::string_view text,
                 std::string_view signature) {
  return key.kind == KeyKind::kSecret ? verify_secret(key, algorithm, text, signature)
                                      : verify_public(key, algorithm, text, signature);
}

struct Parts {
  std::string_view header;
  std::string_view payload;
  std::string_view signature;
  std::string_view signed_text;  // the first two with their dot
};

std::optional<Parts> split(std::string_view token) {
  const size_t first = token.find('.');
  const size_t second = first != std::string_view::npos ? token.find('.', first + 1) : first;
  if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos) {
    return std::nullopt;
  }
  return Parts{.header = token.substr(0, first),
               .payload = token.substr(first + 1, second - first - 1),
               .signature = token.substr(second + 1),
               .signed_text = token.substr(0, second)};
}

std::optional<Claims> decode_object(std::string_view part) {
  const std::optional<std::string> text = decode_base64url(part);
  return text ? Claims::parse(*text) : std::nullopt;
}

bool same_type(std::string_view has, std::string_view wanted) {
  constexpr std::string_view kPrefix = "application/";
  if (has.starts_with(kPrefix)) {
    has.remove_prefix(kPrefix.size());
  }
  return std::equal(has.begin(), has.end(), wanted.begin(), wanted.end(),
                    [](char a, char b) { return to_lower(a) == to_lower(b); });
}

/// Which key has signed it. Without a `kid` every key of the right kind is tried.
JwtFault check_signature(const Claims& header, const Parts& parts, const JwtRules& rules,
                         const JwkSet& keys) {
  const std::string_view name = header.text("alg");
  const auto* const found = std::find_if(kJwtAlgorithms.begin(), kJwtAlgorithms.end(),
                                         [&](const auto& one) { return one.first == name; });
  if (found == kJwtAlgorithms.end() || std::find(rules.algorithms.begin(), rules.algorithms.end(),
                                                 found->second) == rules.algorithms.end()) {
    return JwtFault::kAlgorithm;
  }
  const JwtAlgorithm algorithm = found->second;
  const std::optional<std::string> signature = decode_base64url(parts.signature);
  if (!signature) {
    return JwtFault::kMalformed;
  }
  const std::string_view id = header.text("kid");
  constexpr size_t kTriesMax = 8;
  size_t tries = 0;
  for (const Jwk& key : keys.keys()) {
    const bool named = id.empty() || key.id.empty() || key.id == id;
    const bool fits = key.algorithm.empty() || key.algorithm == name;
    if (!named || !fits || !key.suits(algorithm) || tries == kTriesMax) {
      continue;
    }
    ++tries;
    if (verify_with(key, algorithm, parts.signed_text, *signature)) {
      return JwtFault::kNone;
    }
  }
  return tries == 0 ? JwtFault::kUnknownKey : JwtFault::kSignature;
}

JwtFault check_times(const Claims& claims, const JwtRules& rules, int64_t now_s,
                     int64_t& expires_s) {
  const int64_t skew_s = rules.clock_skew_s;
  const std::optional<int64_t> expires = claims.seconds("exp");
  const std::optional<int64_t> not_before = claims.seconds("nbf");
  if ((!expires && claims.contains("exp")) || (!not_before && claims.contains("nbf"))) {
    return JwtFault::kMalformed;
  }
  if (expires && now_s >= *expires + skew_s) {
    return JwtFault::kExpired;
  }
  if (not_before && now_s < *not_before - skew_s) {
    return JwtFault::kNotYetValid;
  }
  expires_s = expires ? *expires + skew_s : 0;
  return JwtFault::kNone;
}

JwtFault check_claims(const Claims& claims, const JwtRules& rules) {
  if (claims.text("iss") != rules.issuer) {
    return JwtFault::kIssuer;
  }
  if (!claims.has_any("aud", rules.audiences)) {
    return JwtFault::kAudience;
  }
  return claims.has_words(rules.scopes_claim, rules.required_scopes) ? JwtFault::kNone
                                                                     : JwtFault::kScope;
}

}  // namespace

std::string_view to_string(JwtFault fault) noexcept {
  switch (fault) {
    case JwtFault::kNone: return "none";
    case JwtFault::kMalformed: return "malformed";
    case JwtFault::kAlgorithm: return "algorithm";
    case JwtFault::kUnknownKey: return "unknown_key";
    case JwtFault::kSignature: return "signature";
    case JwtFault::kCritical: return "critical_extension";
    case JwtFault::kType: return "type";
    case JwtFault::kIssuer: return "issuer";
    case JwtFault::kAudience: return "audience";
    case JwtFault::kExpired: return "expired";
    case JwtFault::kNotYetValid: return "not_yet_valid";
    case JwtFault::kScope: return "scope";
  }
  return "malformed";
}

JwtResult verify_jwt(std::string_view token, const JwtRules& rules, const JwkSet& keys,
                     int64_t now_s) {
  JwtResult result;
  const std::optional<Parts> parts = token.size() <= kJwtBytesMax ? split(token) : std::nullopt;
  const std::optional<Claims> header = parts ? decode_object(parts->header) : std::nullopt;
  if (!header) {
    return result;
  }
  if (header->contains("crit")) {
    result.fault = JwtFault::kCritical;
    return result;
  }
  if (!rules.type.empty() && !same_type(header->text("typ"), rules.type)) {
    result.fault = JwtFault::kType;
    return result;
  }
  result.fault = check_signature(*header, *parts, rules, keys);
  if (result.fault != JwtFault::kNone) {
    return result;
  }
  std::optional<Claims> claims = decode_object(parts->payload);
  if (!claims) {
    result.fault = JwtFault::kMalformed;
    return result;
  }
  result.claims = std::move(*claims);
  result.fault = check_times(result.claims, rules, now_s, result.expires_s);
  if (result.fault == JwtFault::kNone) {
    result.fault = check_claims(result.claims, rules);
  }
  return result;
}

std::optional<Claims> claims_of_jwt(std::string_view token) {
  const std::optional<Parts> parts = token.size() <= kJwtBytesMax ? split(token) : std::nullopt;
  return parts ? decode_object(parts->payload) : std::nullopt;
}

}  // namespace hangu::identity
