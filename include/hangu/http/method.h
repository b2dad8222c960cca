// Method: the request methods of RFC 9110 §9 and RFC 5789. Any other token is kOther; its text
// stays with the request head. Methods are case-sensitive: "get" is not GET. Plain values, any
// thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace hangu::http {

enum class Method : uint8_t {
  kGet,
  kHead,
  kPost,
  kPut,
  kDelete,
  kConnect,
  kOptions,
  kTrace,
  kPatch,
  kOther,
};

/// kOther for every text that is not exactly one of the names.
Method method_from(std::string_view text) noexcept;

/// "GET"; "OTHER" for kOther.
std::string_view to_string(Method method) noexcept;

/// Whether the method only reads (RFC 9110 §9.2.1).
constexpr bool is_safe(Method method) noexcept {
  return method == Method::kGet || method == Method::kHead || method == Method::kOptions ||
         method == Method::kTrace;
}

/// Whether sending the request twice means the same as once (RFC 9110 §9.2.2).
constexpr bool is_idempotent(Method method) noexcept {
  return is_safe(method) || method == Method::kPut || method == Method::kDelete;
}

}  // namespace hangu::http
