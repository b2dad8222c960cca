// The audit filter: packs a record of a request into the shard's ring of the audit log when the
// stream ends, where its route wants one. With `on_backpressure: fail_closed` a request for which
// there is no room is answered 503 before it goes anywhere.
#pragma once

#include "hangu/config/config.h"
#include "hangu/filter/filter.h"

namespace hangu::audit {
class AuditLog;
}

namespace hangu::filter {

class AuditFilter final : public Filter {
 public:
  /// `log` outlives the filter and has a ring for every shard.
  AuditFilter(audit::AuditLog& log, config::AuditLevel level);

  std::string_view name() const override { return "audit"; }

  uint8_t hooks() const override { return hooks_; }

  FilterStatus on_request_headers(Stream& stream) const noexcept override;
  void on_stream_end(Stream& stream) const noexcept override;

 private:
  config::AuditLevel level_of(const Stream& stream) const noexcept;

  audit::AuditLog& log_;
  config::AuditLevel level_;  // of routes that do not say
  uint8_t hooks_;
};

}  // namespace hangu::filter
