// MirrorFilter: has some requests copied to another upstream. The last filter of a route's chain
// that sees the request: what is copied is what the upstream gets, of requests that were let in.
#pragma once

#include "hangu/config/actions.h"
#include "hangu/filter/filter.h"
#include "hangu/filter/mirror.h"

namespace hangu::filter {

class MirrorFilter final : public Filter {
 public:
  /// `config` outlives the filter: both are of one snapshot.
  MirrorFilter(const config::Mirror& config, uint32_t cluster)
      : target_{.config = &config, .cluster = cluster} {}

  std::string_view name() const override { return "mirror"; }

  uint8_t hooks() const override {
    return static_cast<uint8_t>(kRequestHeaders | kRequestData | kStreamEnd);
  }

  FilterStatus on_request_headers(Stream& stream) const noexcept override;
  FilterStatus on_request_data(Stream& stream, buffer::Slice& data,
                               bool end) const noexcept override;
  void on_stream_end(Stream& stream) const noexcept override;

 private:
  MirrorTarget target_;
};

}  // namespace hangu::filter
