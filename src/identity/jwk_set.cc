#include "hangu/identity/jwk_set.h"

#include <algorithm>
#include <optional>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include "hangu/base/base64.h"

namespace hangu::identity {
namespace {

namespace json = boost::json;
using KeyPtr = std::unique_ptr<EVP_PKEY, KeyFree>;

struct BuilderFree {
  void operator()(OSSL_PARAM_BLD* builder) const noexcept { OSSL_PARAM_BLD_free(builder); }
};

struct ParamsFree {
  void operator()(OSSL_PARAM* params) const noexcept { OSSL_PARAM_free(params); }
};

struct ContextFree {
  void operator()(EVP_PKEY_CTX* context) const noexcept { EVP_PKEY_CTX_free(context); }
};

struct NumberFree {
  void operator()(BIGNUM* number) const noexcept { BN_free(number); }
};

std::string_view text_of(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains({name.data(), name.size()});
  if (value == nullptr || !value->is_string()) {
    return {};
  }
  return {value->get_string().data(), value->get_string().size()};
}

std::optional<std::string> bytes_of(const json::object& object, std::string_view name) {
  const std::string_view text = text_of(object, name);
  return text.empty() ? std::nullopt : decode_base64url(text);
}

KeyPtr make_key(const char* type, OSSL_PARAM_BLD* builder) {
  const std::unique_ptr<OSSL_PARAM, ParamsFree> params(OSSL_PARAM_BLD_to_param(builder));
  const std::unique_ptr<EVP_PKEY_CTX, ContextFree> context(
      EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (params == nullptr || context == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1) {
    return nullptr;
  }
  return KeyPtr(key);
}

std::unique_ptr<BIGNUM, NumberFree> number_of(const std::string& bytes) {
  return std::unique_ptr<BIGNUM, NumberFree>(
      BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes.data()),
                static_cast<int>(bytes.size()), nullptr));
}

KeyPtr rsa_key(const json::object& object) {
  const auto modulus = bytes_of(object, "n");
  const auto exponent = bytes_of(object, "e");
  constexpr size_t kBytesMax = 1024;  // 8192 bits: beyond it, verifying becomes a weapon
  if (!modulus || !exponent || modulus->size() > kBytesMax || exponent->size() > sizeof(uint64_t)) {
    return nullptr;
  }
  const auto n = number_of(*modulus);
  const auto e = number_of(*exponent);
  const std::unique_ptr<OSSL_PARAM_BLD, BuilderFree> builder(OSSL_PARAM_BLD_new());
  if (OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1) {
    return nullptr;
  }
  KeyPtr key = make_key("RSA", builder.get());
  return key != nullptr && EVP_PKEY_get_bits(key.get()) >= JwkSet::kRsaBitsMin ? std::move(key)
                                                                               : nullptr;
}

KeyPtr ec_key(const json::object& object, const char* group, size_t coordinate_bytes) {
  const auto x = bytes_of(object, "x");
  const auto y = bytes_of(object, "y");
  if (!x || !y || x->size() != coordinate_bytes || y->size() != coordinate_bytes) {
    return nullptr;
  }
  const std::string point = '\x04' + *x + *y;
  const std::unique_ptr<OSSL_PARAM_BLD, BuilderFree> builder(OSSL_PARAM_BLD_new());
  if (OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, group, 0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                       point.size()) != 1) {
    return nullptr;
  }
  return make_key("EC", builder.get());
}

KeyPtr ed25519_key(const json::object& object) {
  const auto x = bytes_of(object, "x");
  if (text_of(object, "crv") != "Ed25519" || !x) {
    return nullptr;
  }
  return KeyPtr(EVP_PKEY_new_raw_public_key(
      EVP_PKEY_ED25519, nullptr, reinterpret_cast<const unsigned char*>(x->data()), x->size()));
}

/// Fills in `out`; false: of no use here.
bool read_key(const json::object& object, Jwk& out) {
  const std::string_view type = text_of(object, "kty");
  if (type == "RSA") {
    out.kind = KeyKind::kRsa;
    out.key = rsa_key(object);
  } else if (type == "EC") {
    const std::string_view curve = text_of(object, "crv");
    out.kind = curve == "P-256"   ? KeyKind::kP256
               : curve == "P-384" ? KeyKind::kP384
                                  : KeyKind::kP521;
    constexpr size_t kBytes256 = 32;
    constexpr size_t kBytes384 = 48;
    constexpr size_t kBytes521 = 66;
    out.key = curve == "P-256"   ? ec_key(object, "P-256", kBytes256)
              : curve == "P-384" ? ec_key(object, "P-384", kBytes384)
              : curve == "P-521" ? ec_key(object, "P-521", kBytes521)
                                 : nullptr;
  } else if (type == "OKP") {
    out.kind = KeyKind::kEd25519;
    out.key = ed25519_key(object);
  }
  return out.key != nullptr;
}

}  // namespace

void KeyFree::operator()(evp_pkey_st* key) const noexcept {
  EVP_PKEY_free(key);
}

bool Jwk::suits(JwtAlgorithm wanted) const noexcept {
  switch (wanted) {
    case JwtAlgorithm::kRs256:
    case JwtAlgorithm::kRs384:
    case JwtAlgorithm::kRs512:
    case JwtAlgorithm::kPs256:
    case JwtAlgorithm::kPs384:
    case JwtAlgorithm::kPs512: return kind == KeyKind::kRsa;
    case JwtAlgorithm::kEs256: return kind == KeyKind::kP256;
    case JwtAlgorithm::kEs384: return kind == KeyKind::kP384;
    case JwtAlgorithm::kEs512: return kind == KeyKind::kP521;
    case JwtAlgorithm::kEdDsa: return kind == KeyKind::kEd25519;
    case JwtAlgorithm::kHs256:
    case JwtAlgorithm::kHs384:
    case JwtAlgorithm::kHs512: return kind == KeyKind::kSecret;
  }
  return false;
}

Result<JwkSet, std::string> JwkSet::parse(std::string_view text, std::vector<std::string>* notes) {
  if (text.size() > kBytesMax) {
    return Failure<std::string>{fmt::format("a key set of more than {} bytes", kBytesMax)};
  }
  json::error_code error;
  const json::value root = json::parse({text.data(), text.size()}, error);
  const json::object* object = error ? nullptr : root.if_object();
  const json::value* list = object != nullptr ? object->if_contains("keys") : nullptr;
  if (list == nullptr || !list->is_array()) {
    return Failure<std::string>{std::string("not a key set: {\"keys\": [...]} is expected")};
  }
  JwkSet set;
  size_t number = 0;
  for (const json::value& item : list->get_array()) {
    ++number;
    if (!item.is_object() || set.keys_.size() == kKeysMax) {
      continue;
    }
    const json::object& key = item.get_object();
    const std::string_view use = text_of(key, "use");
    Jwk jwk{.id = std::string(text_of(key, "kid")), .algorithm = std::string(text_of(key, "alg"))};
    // Symmetric keys have no business in a public set.
    if ((use.empty() || use == "sig") && read_key(key, jwk)) {
      set.keys_.push_back(std::move(jwk));
    } else if (notes != nullptr) {
      notes->push_back(fmt::format("key {} (kid \"{}\", kty \"{}\") is of no use here", number,
                                   jwk.id, text_of(key, "kty")));
    }
  }
  if (set.keys_.empty()) {
    return Failure<std::string>{std::string("the key set has no key for signatures")};
  }
  return set;
}

JwkSet JwkSet::of_secret(std::string secret) {
  JwkSet set;
  set.keys_.push_back(Jwk{
      .id = {}, .algorithm = {}, .kind = KeyKind::kSecret, .key = {}, .secret = std::move(secret)});
  return set;
}

bool JwkSet::knows(std::string_view id) const noexcept {
  return std::any_of(keys_.begin(), keys_.end(), [&](const Jwk& key) { return key.id == id; });
}

}  // namespace hangu::identity
