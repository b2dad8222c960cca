// RespondFilter: answers by itself.
#pragma once

#include "hangu/config/config.h"
#include "hangu/filter/filter.h"

namespace hangu::filter {

class RespondFilter final : public Filter {
 public:
  /// `response` outlives the filter: both are of one snapshot.
  explicit RespondFilter(const config::DirectResponse& response)
      : response_(response) {}

  std::string_view name() const override { return "respond"; }

  uint8_t hooks() const override { return kRequestHeaders; }

  FilterStatus on_request_headers(Stream& stream) const noexcept override;

 private:
  const config::DirectResponse& response_;
};

}  // namespace hangu::filter
