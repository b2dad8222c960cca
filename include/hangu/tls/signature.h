// Ed25519 signatures. A SigningKey holds a secret and is used on one thread; a VerifyingKey on any
// at once. Neither reads anything but the file it is given.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "hangu/base/result.h"

struct evp_pkey_st;  // OpenSSL's, without its headers

namespace hangu::tls {

struct PkeyFree {
  void operator()(evp_pkey_st* key) const noexcept;
};

using Pkey = std::unique_ptr<evp_pkey_st, PkeyFree>;

class VerifyingKey {
 public:
  /// From a PEM file with the public key, or with the private one.
  static Result<VerifyingKey, std::string> load(const std::string& path);

  explicit VerifyingKey(Pkey key);

  /// `signature`: 128 hexadecimal digits.
  bool verify(std::string_view text, std::string_view signature) const;

  /// The beginning of the digest of the key: tells keys apart, no secret.
  const std::string& id() const { return id_; }

  std::string pem() const;

 private:
  Pkey key_;
  std::string id_;
};

class SigningKey {
 public:
  static Result<SigningKey, std::string> load(const std::string& path);
  static SigningKey generate();

  explicit SigningKey(Pkey key);

  /// 128 hexadecimal digits.
  std::string sign(std::string_view text) const;

  const std::string& id() const { return id_; }

  std::string pem() const;  // the secret
  std::string public_pem() const;

 private:
  Pkey key_;
  std::string id_;
};

}  // namespace hangu::tls
