// ConsumerTable: the consumers of a config, found by what they prove themselves with. Immutable;
// any thread; generations of the config with the same consumers share one.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "hangu/config/config.h"
#include "hangu/identity/digest.h"
#include "hangu/identity/signature_key.h"

namespace hangu::filter {

/// Views into the table.
struct ConsumerEntry {
  const config::Consumer* config = nullptr;
  std::vector<std::string_view> groups;
  std::vector<std::string_view> scopes;
};

struct ApiKeyEntry {
  const config::ApiKey* config = nullptr;
  const ConsumerEntry* consumer = nullptr;
  std::vector<std::string_view> scopes;  // its own and its consumer's
};

struct PasswordEntry {
  const config::Password* config = nullptr;
  const ConsumerEntry* consumer = nullptr;
};

struct SigningKeyEntry {
  const config::SigningKey* config = nullptr;
  const ConsumerEntry* consumer = nullptr;
  std::vector<std::string_view> scopes;  // its own and its consumer's
  identity::SignatureKey key;
};

class ConsumerTable {
 public:
  explicit ConsumerTable(std::vector<config::Consumer> consumers);

  ConsumerTable(const ConsumerTable&) = delete;
  ConsumerTable& operator=(const ConsumerTable&) = delete;

  const ApiKeyEntry* find_key(std::string_view key) const noexcept;
  /// By the subject or one of the alternative names ("DNS:a, URI:spiffe://b") of a certificate.
  const ConsumerEntry* find_certificate(std::string_view subject,
                                        std::string_view names) const noexcept;
  const ConsumerEntry* find(std::string_view name) const noexcept;
  const PasswordEntry* find_user(std::string_view user) const noexcept;
  const SigningKeyEntry* find_signing_key(std::string_view id) const noexcept;

  /// Of somebody; empty if nobody has a password.
  std::string_view any_password_hash() const noexcept;

 private:
  void add_signing_key(const config::SigningKey& key, const ConsumerEntry& consumer);

  using Keys = std::unordered_map<identity::Digest, ApiKeyEntry, identity::DigestHash>;
  using ByName = std::map<std::string_view, const ConsumerEntry*, std::less<>>;

  std::vector<config::Consumer> configs_;
  std::vector<ConsumerEntry> consumers_;
  Keys sha256_keys_;
  Keys sm3_keys_;
  std::map<std::string_view, PasswordEntry, std::less<>> passwords_;
  std::map<std::string_view, SigningKeyEntry, std::less<>> signing_keys_;
  ByName by_name_;
  ByName by_certificate_;
};

}  // namespace hangu::filter
