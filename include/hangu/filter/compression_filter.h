// CompressionFilter: compresses the responses of a route for the clients that take it. Small pieces
// at once, large ones behind everything else of the loop's turn (event::Costly); what has come is
// never kept back beyond the turn. The last filter that a response passes.
#pragma once

#include <optional>

#include "hangu/config/actions.h"
#include "hangu/filter/filter.h"
#include "hangu/policy/content_coding.h"

namespace hangu::filter {

class CompressionFilter final : public Filter {
 public:
  explicit CompressionFilter(const config::Compression& config)
      : config_(config),
        types_(config.types) {}

  std::string_view name() const override { return "compression"; }

  uint8_t hooks() const override {
    return static_cast<uint8_t>(kResponseHeaders | kResponseData | kStreamEnd);
  }

  FilterStatus on_response_headers(Stream& stream) const noexcept override;
  FilterStatus on_response_data(Stream& stream, buffer::Slice& data,
                                bool end) const noexcept override;
  void on_stream_end(Stream& stream) const noexcept override;

 private:
  bool may_compress(const Stream& stream) const noexcept;
  bool reveals_secrets(const Stream& stream) const noexcept;
  bool begin(Stream& stream) const noexcept;
  uint32_t level_of(config::ContentCoding coding) const noexcept;

  config::Compression config_;
  policy::MediaTypes types_;
};

}  // namespace hangu::filter
