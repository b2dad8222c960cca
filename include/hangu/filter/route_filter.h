// The routing filter: chooses the route by host, path and method; answers 404, 405 or 421 itself.
#pragma once

#include "hangu/filter/filter.h"

namespace hangu::filter {

class RouteFilter final : public Filter {
 public:
  std::string_view name() const override { return "route"; }

  uint8_t hooks() const override { return kRequestHeaders; }

  FilterStatus on_request_headers(Stream& stream) const noexcept override;
};

}  // namespace hangu::filter
