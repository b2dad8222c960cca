// OpenApiFilter: holds requests against an OpenAPI description: path and method, parameters, type
// and contents of the body, which is held back until it has been found right.
#pragma once

#include <memory>
#include <string_view>

#include "hangu/config/openapi.h"
#include "hangu/filter/body_collector.h"
#include "hangu/filter/filter.h"
#include "hangu/http/local_reply.h"
#include "hangu/stats/route_stats.h"

namespace hangu::filter {

class OpenApiFilter final : public Filter, private BodyCollector {
 public:
  explicit OpenApiFilter(const config::OpenApi& config);

  std::string_view name() const override { return "openapi"; }

  uint8_t hooks() const override { return kRequestHeaders; }

  FilterStatus on_request_headers(Stream& stream) const noexcept override;

 private:
  // BodyCollector
  void on_body_collected(Stream& stream) const noexcept override;
  void on_body_too_large(Stream& stream) const noexcept override;

  std::string_view path_of(const Stream& stream) const noexcept;
  openapi::Document::Found find(const Stream& stream) const noexcept;
  bool check_head(Stream& stream, const openapi::Document::Found& found) const noexcept;
  FilterStatus check_body(Stream& stream, const openapi::Operation& operation) const noexcept;
  bool check_collected(Stream& stream, const openapi::Operation& operation) const noexcept;
  bool pass_too_large(Stream& stream) const noexcept;
  bool refuse(Stream& stream, const http::LocalReply& reply,
              const openapi::Problems& problems) const noexcept;

  config::OpenApi config_;
  std::string_view base_path_;
};

}  // namespace hangu::filter
