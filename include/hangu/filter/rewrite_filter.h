// RewriteFilter: the path and host that the upstream sees. Logs keep what the client asked for.
#pragma once

#include "hangu/config/config.h"
#include "hangu/filter/filter.h"
#include "hangu/policy/path_matcher.h"

namespace hangu::filter {

class RewriteFilter final : public Filter {
 public:
  /// `route` outlives the filter: one RouteRuntime has both.
  explicit RewriteFilter(const config::Route& route);

  std::string_view name() const override { return "rewrite"; }

  uint8_t hooks() const override { return kRequestHeaders; }

  FilterStatus on_request_headers(Stream& stream) const noexcept override;

 private:
  const config::Route& route_;
  policy::PathMaker path_;
};

}  // namespace hangu::filter
