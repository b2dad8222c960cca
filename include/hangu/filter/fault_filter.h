// FaultFilter: makes some requests wait and answers some with an error, at random, so that people
// can see how their clients take it. No upstream hears of those that are answered.
#pragma once

#include "hangu/config/actions.h"
#include "hangu/filter/filter.h"

namespace hangu::filter {

class FaultFilter final : public Filter {
 public:
  explicit FaultFilter(const config::Fault& config)
      : config_(config) {}

  std::string_view name() const override { return "fault"; }

  uint8_t hooks() const override { return static_cast<uint8_t>(kRequestHeaders | kStreamEnd); }

  FilterStatus on_request_headers(Stream& stream) const noexcept override;
  void on_stream_end(Stream& stream) const noexcept override;

  /// Answers the request.
  void abort(Stream& stream) const noexcept;

 private:
  bool delay(Stream& stream, bool then_abort) const noexcept;

  config::Fault config_;
};

}  // namespace hangu::filter
