// Signed requests: the keys of consumers, and how a signature is found and what it has to cover.
// Part of Config; made from YAML by the loader, immutable once published.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "hangu/base/clock.h"
#include "hangu/config/common.h"
#include "hangu/identity/signature_algorithm.h"

namespace hangu::config {

using identity::SignatureAlgorithm;

/// A public key, read with the config.
struct PublicKeyFile {
  std::string path;
  std::string pem;
  bool operator==(const PublicKeyFile&) const = default;
};

/// What a consumer signs with.
struct SigningKey {
  std::string id;  // `keyid` of requests; no two consumers have one alike
  SignatureAlgorithm algorithm = SignatureAlgorithm::kHmacSha256;
  Secret secret;  // for hmac-*
  PublicKeyFile public_key;
  int64_t expires_s = 0;  // Unix time; 0: never
  std::vector<std::string> scopes;
  bool operator==(const SigningKey&) const = default;
};

enum class SignatureProfile : uint8_t {
  kRfc9421,
  kHmac,    // the older draft, as Kong writes it: `Authorization: Signature keyId="…",…`
  kApisix,  // the same with the text that APISIX signs
  kTemplate,
};

/// What must not come twice.
enum class ReplayKey : uint8_t {
  kOff,
  kRequest,  // what was signed
  kNonce,    // the nonce of a key, which there has to be
};

enum class TimestampForm : uint8_t { kSeconds, kMilliseconds };

/// A scheme of a house's own: what is signed, and where everything stands.
struct SigningScheme {
  std::string canonical;  // a SigningTemplate; empty: none
  std::string signature_header = "x-signature";
  std::string key_header = "x-key-id";
  std::string timestamp_header = "x-timestamp";
  std::string nonce_header;
  std::string digest_header;  // SHA-256 of the body, hexadecimal or base64
  TimestampForm timestamp = TimestampForm::kSeconds;
  bool operator==(const SigningScheme&) const = default;
};

struct SignatureAuth {
  bool enabled = false;
  SignatureProfile profile = SignatureProfile::kRfc9421;
  std::vector<SignatureAlgorithm> algorithms = {
      SignatureAlgorithm::kHmacSha256,      SignatureAlgorithm::kHmacSha512,
      SignatureAlgorithm::kHmacSm3,         SignatureAlgorithm::kEd25519,
      SignatureAlgorithm::kEcdsaP256Sha256, SignatureAlgorithm::kRsaPssSha512,
      SignatureAlgorithm::kRsaV15Sha256};
  std::vector<std::string> covered = {"@method", "@authority", "@path", "@query"};
  std::string tag;  // of rfc9421; empty: any
  Duration clock_skew = std::chrono::seconds(300);
  ReplayKey replay = ReplayKey::kRequest;
  uint64_t replay_entries = uint64_t{1} << 20;
  uint32_t replay_store = kNoStore;  // index in Config::stores: that nodes remember in together
  OnStoreError replay_on_store_error = OnStoreError::kLocal;
  bool body_digest = false;
  uint64_t body_bytes_max = uint64_t{1} << 20;
  SigningScheme scheme;
  bool operator==(const SignatureAuth&) const = default;
};

}  // namespace hangu::config
