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
#include "hangu/policy/request_hash.h"

namespace hangu::filter {

class Stream;

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
    for (const Part& part : parts_) {
      const Value value = value_of(part, stream);
      visit(value.there() ? std::optional(value.text()) : std::nullopt);
    }
  }

 private:
  struct Part {
    config::KeyPart::Kind kind;
    http::HeaderName token;
    std::string name;
  };

  /// Of a part in a request, if it has it. Fits two registers, as an optional does not.
  class Value {
   public:
    Value() = default;  // it has not

    Value(std::string_view text) noexcept  // NOLINT(*-explicit-*)
        : data_(text.data()),
          size_(text.size()) {}

    Value(const std::optional<std::string_view>& text) noexcept  // NOLINT(*-explicit-*)
        : Value(text ? Value(*text) : Value()) {}

    bool there() const noexcept { return size_ != kNone; }

    std::string_view text() const noexcept { return {data_, size_}; }

   private:
    static constexpr size_t kNone = SIZE_MAX;

    const char* data_ = nullptr;
    size_t size_ = kNone;
  };

  Value value_of(const Part& part, const Stream& stream) const noexcept;

  std::vector<Part> parts_;
  Prefixes prefixes_;
  uint64_t seed_;
};

}  // namespace hangu::filter
