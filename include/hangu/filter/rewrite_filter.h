// RewriteFilter: the path and host that the upstream sees. Logs keep what the client asked for.
#pragma once

#include "hangu/config/config.h"
#include "hangu/filter/filter.h"

namespace hangu::filter {

class RewriteFilter final : public Filter {
 public:
  /// `route` outlives the filter: both are of one snapshot.
  explicit RewriteFilter(const config::Route& route)
      : route_(route) {}

  std::string_view name() const override { return "rewrite"; }

  uint8_t hooks() const override { return kRequestHeaders; }

  FilterStatus on_request_headers(Stream& stream) const noexcept override;

 private:
  const config::Route& route_;
};

}  // namespace hangu::filter
