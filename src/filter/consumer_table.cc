#include "hangu/filter/consumer_table.h"

#include <algorithm>
#include <utility>

namespace hangu::filter {
namespace {

std::vector<std::string_view> views(const std::vector<std::string>& texts) {
  return {texts.begin(), texts.end()};
}

const ConsumerEntry* look_up(
    const std::map<std::string_view, const ConsumerEntry*, std::less<>>& in,
    std::string_view name) {
  const auto found = in.find(name);
  return found != in.end() ? found->second : nullptr;
}

}  // namespace

ConsumerTable::ConsumerTable(std::vector<config::Consumer> consumers)
    : configs_(std::move(consumers)) {
  consumers_.reserve(configs_.size());  // entries are pointed at
  for (const config::Consumer& consumer : configs_) {
    consumers_.push_back(
        {.config = &consumer, .groups = views(consumer.groups), .scopes = views(consumer.scopes)});
    const ConsumerEntry* const entry = &consumers_.back();
    by_name_.emplace(consumer.name, entry);
    for (const std::string& name : consumer.certificates) {
      by_certificate_.emplace(name, entry);
    }
    for (const config::Password& password : consumer.passwords) {
      passwords_.emplace(password.user, PasswordEntry{.config = &password, .consumer = entry});
    }
    for (const config::SigningKey& key : consumer.signing_keys) {
      add_signing_key(key, *entry);
    }
    for (const config::ApiKey& key : consumer.api_keys) {
      const auto stored = identity::parse_digest(key.hash);
      if (!stored) {
        continue;  // the loader has refused it
      }
      ApiKeyEntry made{.config = &key, .consumer = entry, .scopes = entry->scopes};
      made.scopes.insert(made.scopes.end(), key.scopes.begin(), key.scopes.end());
      (stored->kind == identity::DigestKind::kSm3 ? sm3_keys_ : sha256_keys_)
          .emplace(stored->digest, std::move(made));
    }
  }
}

void ConsumerTable::add_signing_key(const config::SigningKey& key, const ConsumerEntry& consumer) {
  auto made = identity::uses_secret(key.algorithm)
                  ? Result<identity::SignatureKey, std::string>(
                        identity::SignatureKey::of_secret(key.algorithm, key.secret.text))
                  : identity::SignatureKey::of_pem(key.algorithm, key.public_key.pem);
  if (!made) {
    return;  // the loader has refused it
  }
  std::vector<std::string_view> scopes = consumer.scopes;
  scopes.insert(scopes.end(), key.scopes.begin(), key.scopes.end());
  signing_keys_.emplace(key.id, SigningKeyEntry{.config = &key,
                                                .consumer = &consumer,
                                                .scopes = std::move(scopes),
                                                .key = std::move(*made)});
}

const ApiKeyEntry* ConsumerTable::find_key(std::string_view key) const noexcept {
  const auto find_in = [&](const Keys& keys, identity::DigestKind kind) -> const ApiKeyEntry* {
    identity::Digest digest;
    if (keys.empty() || !identity::compute_digest(kind, key, digest)) {
      return nullptr;
    }
    const auto found = keys.find(digest);
    return found != keys.end() ? &found->second : nullptr;
  };
  const ApiKeyEntry* const found = find_in(sha256_keys_, identity::DigestKind::kSha256);
  return found != nullptr ? found : find_in(sm3_keys_, identity::DigestKind::kSm3);
}

const ConsumerEntry* ConsumerTable::find_certificate(std::string_view subject,
                                                     std::string_view names) const noexcept {
  if (const ConsumerEntry* const found = look_up(by_certificate_, subject)) {
    return found;
  }
  for (size_t at = 0; at < names.size();) {
    const size_t end = std::min(names.find(", ", at), names.size());
    if (const ConsumerEntry* const found = look_up(by_certificate_, names.substr(at, end - at))) {
      return found;
    }
    at = end + 2;
  }
  return nullptr;
}

const PasswordEntry* ConsumerTable::find_user(std::string_view user) const noexcept {
  const auto found = passwords_.find(user);
  return found != passwords_.end() ? &found->second : nullptr;
}

const SigningKeyEntry* ConsumerTable::find_signing_key(std::string_view id) const noexcept {
  const auto found = signing_keys_.find(id);
  return found != signing_keys_.end() ? &found->second : nullptr;
}

std::string_view ConsumerTable::any_password_hash() const noexcept {
  return passwords_.empty() ? std::string_view() : passwords_.begin()->second.config->hash;
}

const ConsumerEntry* ConsumerTable::find(std::string_view name) const noexcept {
  return look_up(by_name_, name);
}

}  // namespace hangu::filter
