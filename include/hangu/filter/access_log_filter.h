// The access log filter: one JSON line per request, formatted straight into the shard's ring of the
// log writer when the stream ends. Never blocks; a full ring drops the record and counts it.
#pragma once

#include "hangu/filter/filter.h"

namespace hangu::audit {
class LogWriter;
}

namespace hangu::filter {

class AccessLogFilter final : public Filter {
 public:
  /// `writer` outlives the filter and has a ring for every shard.
  explicit AccessLogFilter(audit::LogWriter& writer)
      : writer_(writer) {}

  std::string_view name() const override { return "access_log"; }

  uint8_t hooks() const override { return kStreamEnd; }

  void on_stream_end(Stream& stream) const noexcept override;

 private:
  audit::LogWriter& writer_;
};

}  // namespace hangu::filter
