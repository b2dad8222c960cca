// RateLimitFilter: lets a request pass when all rate limits of its route do, else answers it; it
// counts in none of them then. Limits that a store has to decide are asked for together, last, and
// the request waits.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "hangu/filter/filter.h"
#include "hangu/filter/quick_rate_limits.h"
#include "hangu/filter/rate_limit.h"

namespace hangu::filter {

class RateLimitFilter final : public Filter, private RateStore::Asker {
 public:
  /// Not empty; those with a store that decides have the same.
  explicit RateLimitFilter(std::vector<std::shared_ptr<const RateLimit>> limits);

  std::string_view name() const override { return "rate_limit"; }

  uint8_t hooks() const override;

  FilterStatus on_request_headers(Stream& stream) const noexcept override;
  FilterStatus on_response_headers(Stream& stream) const noexcept override;
  void on_local_reply(Stream& stream) const noexcept override;
  void on_stream_end(Stream& stream) const noexcept override;

 private:
  class Passed;

  // RateStore::Asker
  void on_rate_answer(Stream& stream, const RateStore::Answer& answer) const noexcept override;

  bool passes(Stream& stream, RateVerdict& verdict) const noexcept;
  FilterStatus ask_each(Stream& stream) const noexcept;
  void undo(Stream& stream, Passed& passed, const RateTime& now) const noexcept;
  void commit(Stream& stream, const Passed& passed) const noexcept;
  static void tell_left(Stream& stream) noexcept;
  void show(Stream& stream, const RateVerdict& verdict) const noexcept;
  bool ask(Stream& stream, const Passed& passed) const noexcept;
  bool decide_without_store(Stream& stream, Passed& passed) const noexcept;
  bool hear(Stream& stream, Passed& passed, const RateStore::Answer& answer) const noexcept;
  void remember(Stream& stream, const Passed& passed) const noexcept;
  void hear_costs(Stream& stream) const noexcept;
  void reject(Stream& stream, const RateVerdict& verdict) const noexcept;

  std::vector<std::shared_ptr<const RateLimit>> limits_;
  QuickRateLimits quick_;
  RateStore* store_ = nullptr;  // that decides about requests
  bool on_all_ = false;         // responses there are fields
  bool deferred_ = false;       // there is something to count at the end
  bool by_header_ = false;      // that a response tells
};

}  // namespace hangu::filter
