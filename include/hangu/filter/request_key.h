// RequestKey: some parts of a request as one number, for counting or for choosing by them. Compiled
// from the config, immutable, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hangu/config/config.h"
#include "hangu/http/header_name.h"

namespace hangu::filter {

class Stream;

class RequestKey {
 public:
  struct Hashed {
    uint64_t hash = 0;
    bool whole = true;  // false: the request lacks one of the parts
  };

  /// Clients that are alike in so many bits are one.
  struct Prefixes {
    uint32_t ipv4 = 32;
    uint32_t ipv6 = 128;
  };

  RequestKey(const std::vector<config::KeyPart>& parts, Prefixes prefixes, uint64_t seed);

  Hashed of(const Stream& stream) const noexcept;

 private:
  struct Part {
    config::KeyPart::Kind kind;
    http::HeaderName token;
    std::string name;
  };

  std::optional<std::string_view> value_of(const Part& part, const Stream& stream) const noexcept;
  uint64_t hash_client(std::string_view ip, uint64_t seed) const noexcept;

  std::vector<Part> parts_;
  Prefixes prefixes_;
  uint64_t seed_;
};

}  // namespace hangu::filter
