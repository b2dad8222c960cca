// RequestKey: some parts of a request as one number, for counting or for choosing by them. Compiled
// from the config, immutable, any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "hangu/config/config.h"
#include "hangu/filter/request_part.h"
#include "hangu/policy/request_hash.h"

namespace hangu::filter {

class RequestKey {
 public:
  using Hashed = policy::HashedKey;
  using Prefixes = policy::ClientPrefixes;

  RequestKey(const std::vector<config::KeyPart>& parts, Prefixes prefixes, uint64_t seed = 0);

  Hashed of(const Stream& stream) const noexcept { return of(stream, seed_); }

  Hashed of(const Stream& stream, uint64_t seed) const noexcept;

  /// Calls visit(std::optional<std::string_view>) for each part; nullopt: the request lacks it.
  template <class Visit>
  void for_each(const Stream& stream, Visit visit) const noexcept {
    for (const RequestPart& part : parts_) {
      const RequestPart::Value value = part.of(stream);
      visit(value.there() ? std::optional(value.text()) : std::nullopt);
    }
  }

 private:
  std::vector<RequestPart> parts_;
  Prefixes prefixes_;
  uint64_t seed_;
  std::unique_ptr<const std::vector<config::KeyPart>> named_;  // what parts_ view
};

}  // namespace hangu::filter
