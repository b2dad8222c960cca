#include "hangu/filter/concurrency_limit_filter.h"

#include <algorithm>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "hangu/filter/stream.h"

namespace hangu::filter {
namespace {

constexpr std::string_view kDetail = "too many requests at once";

void give_back(const HeldPlaces& held, uint32_t shard) noexcept {
  for (size_t i = 0; i < held.count; ++i) {
    policy::InFlightTable::give_back(*held.places[i].place);
    held.places[i].limit->stats(shard).active.subtract();
  }
}

}  // namespace

// --- one limit --------------------------------------------------------------------------------

ConcurrencyLimit::ConcurrencyLimit(const config::ConcurrencyLimit& config,
                                   std::shared_ptr<ConcurrencyCounts> counts)
    : config_(config),
      counts_(std::move(counts)),
      exempt_(config.exempt),
      key_(config.key, {config.ipv4_prefix, config.ipv6_prefix}, counts_->seed),
      policy_text_(
          fmt::format("\"{}\";q={};qu=\"concurrent-requests\"", config.name, config.requests_max)),
      state_text_(fmt::format("\"{}\";r=0", config.name)) {}

bool ConcurrencyLimit::exempts(const Stream& stream) const noexcept {
  return !exempt_.empty() && exempt_.contains(stream.info.client_ip);
}

// --- the limits of a route --------------------------------------------------------------------

ConcurrencyLimitFilter::ConcurrencyLimitFilter(
    std::vector<std::shared_ptr<const ConcurrencyLimit>> limits)
    : limits_(std::move(limits)) {}

/// False: the request is refused. Adds the place it takes to `held`.
bool ConcurrencyLimitFilter::pass(Stream& stream, const ConcurrencyLimit& limit,
                                  HeldPlaces& held) const noexcept {
  if (limit.exempts(stream)) {
    return true;
  }
  const RequestKey::Hashed key = limit.key().of(stream);
  const config::MissingKey on_missing = limit.config().on_missing_key;
  if (!key.whole && on_missing == config::MissingKey::kSkip) {
    return true;
  }
  stats::ConcurrencyLimitSlot& stats = limit.stats(stream.shard().shard());
  policy::InFlightTable::Taken taken;
  if (key.whole || on_missing == config::MissingKey::kShare) {
    taken = limit.table().take(key.hash, limit.config().requests_max);
    if (taken.shared) {
      stats.shared_keys.add();
    }
  }
  if (taken.place != nullptr) {
    held.places[held.count++] = {.limit = &limit, .place = taken.place};
    stats.active.add();
    return true;
  }
  if (limit.config().mode == config::Mode::kShadow) {
    stats.shadow_rejected.add();
    stream.note_shadow(limit.config().name);
    return true;
  }
  stats.rejected.add();
  return false;
}

FilterStatus ConcurrencyLimitFilter::on_request_headers(Stream& stream) const noexcept {
  const uint32_t shard = stream.shard().shard();
  HeldPlaces held;
  for (const auto& limit : limits_) {
    if (!pass(stream, *limit, held)) {
      give_back(held, shard);
      reject(stream, *limit);
      return FilterStatus::kContinue;
    }
  }
  for (size_t i = 0; i < held.count; ++i) {
    held.places[i].limit->stats(shard).allowed.add();
  }
  if (held.count != 0) {
    char* const memory = stream.arena().allocate(sizeof(HeldPlaces), alignof(HeldPlaces));
    stream.info.held_places = std::construct_at(reinterpret_cast<HeldPlaces*>(memory), held);
  }
  return FilterStatus::kContinue;
}

void ConcurrencyLimitFilter::reject(Stream& stream, const ConcurrencyLimit& limit) const noexcept {
  const config::ConcurrencyLimit& config = limit.config();
  const std::array<http::ReplyField, 2> fields = {
      http::ReplyField{"ratelimit-policy", limit.policy_text()},
      http::ReplyField{"ratelimit", limit.state_text()}};
  const auto wait = std::chrono::duration_cast<std::chrono::seconds>(config.retry_after);
  stream.info.rule = config.name;
  stream.send_local_reply({.status = static_cast<int>(config.status),
                           .code = "concurrency_limit.exceeded",
                           .detail = kDetail,
                           .retry_after_s = static_cast<uint32_t>(wait.count()),
                           .type = http::kQuotaExceeded,
                           .violated_policy = config.name,
                           .fields = {fields.data(), config.headers ? fields.size() : 0}},
                          name());
}

void ConcurrencyLimitFilter::on_stream_end(Stream& stream) const noexcept {
  if (const HeldPlaces* held = std::exchange(stream.info.held_places, nullptr)) {
    give_back(*held, stream.shard().shard());
  }
}

}  // namespace hangu::filter
