// The fields of a signed request: Signature-Input and Signature (RFC 9421 §4, dictionaries of
// RFC 8941), and the credentials of the older draft ("keyId="a",algorithm="hmac-sha256",…").
// Strict: what could be read in two ways, or could be written in two ways, is refused. Pure; the
// views lie in what was given.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace hangu::identity {

inline constexpr size_t kSignatureFieldBytesMax = 8 * 1024;

/// One thing that a signature covers: "@method", "content-digest", "@query-param";name="id".
struct SignedComponent {
  std::string_view name;
  std::string_view parameters;  // ";name=\"id\""; as written
  std::string_view parameter;   // id, of @query-param

  bool operator==(const SignedComponent& other) const {
    return name == other.name && parameters == other.parameters;
  }
};

/// What one signature says of itself.
struct SignatureInput {
  static constexpr size_t kComponentsMax = 32;

  std::string_view label;
  std::array<SignedComponent, kComponentsMax> list;
  size_t count = 0;
  std::optional<int64_t> created;
  std::optional<int64_t> expires;
  std::string_view key_id;
  std::string_view algorithm;
  std::string_view nonce;
  std::string_view tag;
  std::string_view text;  // as it is signed: ("@method");created=1618884473

  std::span<const SignedComponent> components() const { return {list.data(), count}; }
};

/// The signatures of a request.
struct SignatureInputs {
  static constexpr size_t kMax = 4;

  std::array<SignatureInput, kMax> list;
  size_t count = 0;

  std::span<const SignatureInput> all() const { return {list.data(), count}; }
};

/// nullopt: not well-formed, more than kMax, or something in it that is not supported here.
std::optional<SignatureInputs> parse_signature_inputs(std::string_view field);

/// The member `label` of a dictionary of byte sequences, still in base64; nullopt: not well-formed,
/// or not there.
std::optional<std::string_view> find_bytes(std::string_view field, std::string_view label);

/// Credentials of a scheme with parameters, after the scheme's name.
struct SignatureCredentials {
  std::string_view key_id;     // keyId, or username
  std::string_view algorithm;  // may be empty
  std::string_view headers;    // names with spaces between; may be empty
  std::string_view signature;  // in base64
  std::optional<int64_t> created;
  std::optional<int64_t> expires;
};

/// nullopt: not well-formed, a parameter twice, or no key or no signature.
std::optional<SignatureCredentials> parse_signature_credentials(std::string_view text);

}  // namespace hangu::identity
