// Lets clients that speak gRPC-Web call a gRPC upstream: types, text form and trailers are
// translated on the way. Other requests pass untouched.
#pragma once

#include "hangu/filter/filter.h"

namespace hangu::filter {

class GrpcWebFilter final : public Filter {
 public:
  std::string_view name() const override { return "grpc_web"; }

  uint8_t hooks() const override {
    return kRequestHeaders | kRequestData | kResponseHeaders | kResponseData;
  }

  FilterStatus on_request_headers(Stream& stream) const noexcept override;
  FilterStatus on_request_data(Stream& stream, buffer::Slice& data,
                               bool end) const noexcept override;
  FilterStatus on_response_headers(Stream& stream) const noexcept override;
  FilterStatus on_response_data(Stream& stream, buffer::Slice& data,
                                bool end) const noexcept override;
};

}  // namespace hangu::filter
