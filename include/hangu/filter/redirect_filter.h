// RedirectFilter: sends the client to another address.
#pragma once

#include <optional>

#include "hangu/config/config.h"
#include "hangu/filter/filter.h"
#include "hangu/policy/path_matcher.h"
#include "hangu/policy/path_substitution.h"

namespace hangu::filter {

class RedirectFilter final : public Filter {
 public:
  /// `route` outlives the filter: one RouteRuntime has both.
  explicit RedirectFilter(const config::Route& route);

  std::string_view name() const override { return "redirect"; }

  uint8_t hooks() const override { return kRequestHeaders; }

  FilterStatus on_request_headers(Stream& stream) const noexcept override;

 private:
  std::string_view location(Stream& stream) const noexcept;

  const config::Route& route_;
  policy::PathMaker path_;
  std::optional<policy::PathSubstitution> substitution_;
};

}  // namespace hangu::filter
