// OverloadFilter: answers requests of a route that the process has no capacity for, by the step
// that its shard has come to and the route's priority. First in the chain: a refusal costs least
// there.
#pragma once

#include "hangu/config/config.h"
#include "hangu/filter/filter.h"
#include "hangu/policy/overload.h"

namespace hangu::filter {

class OverloadFilter final : public Filter {
 public:
  OverloadFilter(const config::Overload& overload, config::Priority priority);

  std::string_view name() const override { return "overload"; }

  uint8_t hooks() const override { return kRequestHeaders; }

  FilterStatus on_request_headers(Stream& stream) const noexcept override;

 private:
  uint64_t threshold_;  // an OverloadStep
  config::Priority priority_;
  bool shadow_;
  uint32_t retry_after_s_;
};

}  // namespace hangu::filter
