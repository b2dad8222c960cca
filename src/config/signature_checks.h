// Checks of signed requests, and the values that only they have.
#pragma once

#include "hangu/config/config.h"

#include "config/reader.h"
#include "config/rules.h"
#include "config/type.h"

namespace hangu::config {

extern const TextRule kKeyIdRule;
extern const TextRule kComponentRule;
extern const TextRule kCanonicalRule;

/// A file with a public key as PEM, which is read with the config.
class PublicKeyFileType final : public TypeOf<PublicKeyFile> {
 public:
  void read(Reader& reader, const Node& node, void* out) const override;
  Value to_value(const Config& config, const void* value) const override;

  std::string name() const override { return "file path"; }

  std::string limits() const override { return "absolute; a public key as PEM"; }

  std::string schema() const override { return "\"type\":\"string\",\"minLength\":1"; }
};

void check_signing_key(Reader& reader, const Node& node, const SigningKey& key);
void check_signature_auth(Reader& reader, const Node& node, const SignatureAuth& auth);

}  // namespace hangu::config
