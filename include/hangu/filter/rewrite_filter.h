// RewriteFilter: the path and host that the upstream sees. Logs keep what the client asked for.
#pragma once

#include <optional>

#include "hangu/config/config.h"
#include "hangu/filter/filter.h"
#include "hangu/filter/request_text.h"
#include "hangu/policy/path_matcher.h"
#include "hangu/policy/path_substitution.h"

namespace hangu::filter {

class RewriteFilter final : public Filter {
 public:
  /// `route` outlives the filter: one RouteRuntime has both.
  explicit RewriteFilter(const config::Route& route);

  std::string_view name() const override { return "rewrite"; }

  uint8_t hooks() const override { return kRequestHeaders; }

  FilterStatus on_request_headers(Stream& stream) const noexcept override;

 private:
  bool set_host(Stream& stream) const noexcept;

  const config::Route& route_;
  policy::PathMaker path_;
  RequestText host_;
  std::optional<policy::PathSubstitution> substitution_;
};

}  // namespace hangu::filter
