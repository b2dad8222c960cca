// Some parts of a request as one number, for counting or for choosing by them. Pure; how a part is
// found in a request is the caller's business, so that `explain` gets the number that a request
// gets.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "hangu/config/config.h"

namespace hangu::policy {

struct HashedKey {
  uint64_t hash = 0;
  bool whole = true;  // false: the request lacks one of the parts
};

/// Clients that are alike in so many bits are one.
struct ClientPrefixes {
  uint32_t ipv4 = 32;
  uint32_t ipv6 = 128;
};

/// Adds a part of a key, as it is in the request, to what was hashed before.
uint64_t hash_value(config::KeyPart::Kind kind, std::string_view value,
                    const ClientPrefixes& prefixes, uint64_t before) noexcept;

/// The same for a part that the request lacks: unlike an empty value.
uint64_t hash_missing(uint64_t before) noexcept;

inline void hash_part(config::KeyPart::Kind kind, std::optional<std::string_view> value,
                      const ClientPrefixes& prefixes, HashedKey& key) noexcept {
  key.hash = value ? hash_value(kind, *value, prefixes, key.hash) : hash_missing(key.hash);
  key.whole = key.whole && value.has_value();
}

}  // namespace hangu::policy
