// SessionCookiesFilter: takes the cookies of sessions out of requests, on every route: who gets one
// could show it in its owner's place.
#pragma once

#include <string>
#include <vector>

#include "hangu/filter/filter.h"

namespace hangu::filter {

class SessionCookiesFilter final : public Filter {
 public:
  /// `names`: without `__Host-`.
  explicit SessionCookiesFilter(std::vector<std::string> names)
      : names_(std::move(names)) {}

  std::string_view name() const override { return "session_cookies"; }

  uint8_t hooks() const override { return kRequestHeaders; }

  FilterStatus on_request_headers(Stream& stream) const noexcept override;

 private:
  std::vector<std::string> names_;
};

}  // namespace hangu::filter
