#include "hangu/filter/overload_filter.h"

#include <chrono>

#include "hangu/filter/stream.h"
#include "hangu/stats/shard_stats.h"

namespace hangu::filter {
namespace {

constexpr std::string_view text_of(config::Priority priority) {
  switch (priority) {
    case config::Priority::kLow: return "priority:low";
    case config::Priority::kNormal: return "priority:normal";
    case config::Priority::kHigh: return "priority:high";
  }
  return "";
}

}  // namespace

OverloadFilter::OverloadFilter(const config::Overload& overload, config::Priority priority)
    : threshold_(static_cast<uint64_t>(policy::shed_from(priority))),
      priority_(priority),
      shadow_(overload.mode == config::Mode::kShadow),
      retry_after_s_(static_cast<uint32_t>(
          std::chrono::duration_cast<std::chrono::seconds>(overload.retry_after).count())) {}

FilterStatus OverloadFilter::on_request_headers(Stream& stream) const noexcept {
  stats::ShardStats& stats = stream.shard().stats();
  if (stats.overload_step.value() < threshold_) {
    return FilterStatus::kContinue;
  }
  if (shadow_) {
    stats.overload_shadow_shed.add();
    stream.note_shadow("overload");
    return FilterStatus::kContinue;
  }
  stats.overload_shed[static_cast<size_t>(priority_)].add();
  stream.info.rule = text_of(priority_);
  // At random up to half as long again: those who are refused together shall not return together.
  const auto jitter =
      static_cast<uint32_t>(stream.shard().random() % ((retry_after_s_ + 1) / 2 + 1));
  stream.send_local_reply({.status = 503,
                           .code = "overload.shed",
                           .detail = "the gateway has too much to do",
                           .retry_after_s = retry_after_s_ + jitter,
                           .type = http::kReducedCapacity},
                          name());
  return FilterStatus::kContinue;
}

}  // namespace hangu::filter
