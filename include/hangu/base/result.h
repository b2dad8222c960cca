// Result<T, E>: a value or an error, with the member names of C++23's std::expected so that it can
// be replaced by it. A Result that nobody looks at does not compile away silently: it is
// [[nodiscard]].
#pragma once

#include <utility>
#include <variant>

#include "hangu/base/assert.h"
#include "hangu/base/error.h"

namespace hangu {

/// Wraps an error so that it converts to any Result<T, E>.
template <class E>
struct Failure {
  E error;
};

constexpr Failure<Error> fail(const Error& error) {
  return Failure<Error>{error};
}

template <class T, class E = Error>
class [[nodiscard]] Result {
 public:
  // NOLINTNEXTLINE(google-explicit-constructor): `return value;` is the point.
  Result(T value)
      : state_(std::in_place_index<0>, std::move(value)) {}

  // NOLINTNEXTLINE(google-explicit-constructor): `return fail(error);` is the point.
  Result(Failure<E> failure)
      : state_(std::in_place_index<1>, std::move(failure.error)) {}

  bool has_value() const { return state_.index() == 0; }

  explicit operator bool() const { return has_value(); }

  T& value() & {
    HANGU_ASSERT(has_value());
    return *std::get_if<0>(&state_);
  }

  const T& value() const& {
    HANGU_ASSERT(has_value());
    return *std::get_if<0>(&state_);
  }

  T&& value() && { return std::move(value()); }

  T& operator*() & { return value(); }

  const T& operator*() const& { return value(); }

  T&& operator*() && { return std::move(value()); }

  T* operator->() { return &value(); }

  const T* operator->() const { return &value(); }

  const E& error() const {
    HANGU_ASSERT(!has_value());
    return *std::get_if<1>(&state_);
  }

 private:
  std::variant<T, E> state_;
};

template <class E>
class [[nodiscard]] Result<void, E> {
 public:
  Result() = default;

  // NOLINTNEXTLINE(google-explicit-constructor): `return fail(error);` is the point.
  Result(Failure<E> failure)
      : error_(std::move(failure.error)),
        failed_(true) {}

  bool has_value() const { return !failed_; }

  explicit operator bool() const { return has_value(); }

  void value() const { HANGU_ASSERT(has_value()); }

  const E& error() const {
    HANGU_ASSERT(failed_);
    return error_;
  }

 private:
  E error_{};
  bool failed_ = false;
};

}  // namespace hangu
