// RequestPart: one part of a request by which one counts or chooses, such as a header field.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "hangu/config/key_part.h"
#include "hangu/http/header_name.h"
#include "hangu/policy/request_hash.h"

namespace hangu::filter {

class Stream;

struct RequestPart {
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

  config::KeyPart::Kind kind;
  http::HeaderName token;  // of `name`
  std::string_view name;   // as KeyPart::name, which outlives this

  explicit RequestPart(const config::KeyPart& part)
      : kind(part.kind),
        token(http::header_name_from(part.name)),
        name(part.name) {}

  Value of(const Stream& stream) const noexcept;

  /// Adds it to what was hashed of the request before. False: the request lacks it.
  bool add_to(uint64_t& hash, const policy::ClientPrefixes& prefixes,
              const Stream& stream) const noexcept;
};

}  // namespace hangu::filter
