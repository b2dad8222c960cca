#include "hangu/filter/bandwidth_limit_filter.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "hangu/filter/stream.h"

namespace hangu::filter {
namespace {

constexpr uint64_t kBurstMin = 64ULL * 1024;
constexpr uint64_t kUnlimited = UINT64_C(1) << 50;

policy::ByteRate rate_of(uint64_t bytes_per_second, uint64_t burst_bytes) {
  const uint64_t rate = bytes_per_second != 0 ? bytes_per_second : kUnlimited;
  return {rate, burst_bytes != 0 ? burst_bytes : std::max(rate / 10, kBurstMin)};
}

constexpr size_t index(Direction direction) {
  return static_cast<size_t>(direction);
}

int64_t nanoseconds(TimePoint time) {
  return time.time_since_epoch().count();
}

}  // namespace

// --- one limit --------------------------------------------------------------------------------

BandwidthLimit::BandwidthLimit(const config::BandwidthLimit& config,
                               std::shared_ptr<BandwidthCounts> counts)
    : config_(config),
      counts_(std::move(counts)),
      rates_{rate_of(config.request_bytes_per_second, config.burst_bytes),
             rate_of(config.response_bytes_per_second, config.burst_bytes)},
      exempt_(config.exempt),
      key_(config.key, {config.ipv4_prefix, config.ipv6_prefix}, counts_->seed) {}

bool BandwidthLimit::exempts(const Stream& stream) const noexcept {
  return !exempt_.empty() && exempt_.contains(stream.info.client_ip);
}

bool BandwidthLimit::limits(Direction direction) const noexcept {
  return (direction == Direction::kRequest ? config_.request_bytes_per_second
                                           : config_.response_bytes_per_second) != 0;
}

// --- those of one stream ----------------------------------------------------------------------

void Pacing::Lane::on_timer() noexcept {
  stream.resume_paced(direction);
}

void Pacing::add(const BandwidthLimit& limit, uint64_t key) noexcept {
  members_[member_count_++] = {.limit = &limit, .key = key};
  for (Lane& lane : lanes_) {
    lane.limited = lane.limited || limit.limits(lane.direction);
  }
}

/// The bucket that a member draws on; nullptr: its own, in the stream.
Pacing::Bucket* Pacing::bucket_of(const Member& member, Direction direction,
                                  int64_t now_ns) noexcept {
  if (member.limit->config().scope != config::BandwidthScope::kKey) {
    return nullptr;
  }
  BandwidthCounts::Table& table = member.limit->table(direction);
  // A bucket that is full goes to the next key: nothing is forgotten.
  BandwidthCounts::Table::Place* const place = table.find_or_claim(
      member.key, [now_ns](int64_t full_at_ns) { return full_at_ns <= now_ns; });
  if (place == nullptr) {
    member.limit->stats(stream_.shard().shard()).shared_keys.add();
  }
  return place != nullptr ? &place->value : &table.shared().value;
}

/// In all limits alike: what the narrowest gives, after the longest wait.
Pacing::Turn Pacing::reserve(Direction direction, uint64_t wanted, int64_t now_ns) noexcept {
  std::array<Bucket*, config::kBandwidthLimitsMax> buckets{};
  Turn turn{.bytes = wanted};
  for (size_t i = 0; i < member_count_; ++i) {
    Member& member = members_[i];
    if (member.limit->limits(direction)) {
      buckets[i] = bucket_of(member, direction, now_ns);
      const int64_t full_at_ns =
          buckets[i] != nullptr ? buckets[i]->load() : member.own_full_at_ns[index(direction)];
      const policy::ByteRate& rate = member.limit->rate(direction);
      turn.bytes = std::min(turn.bytes, rate.reserve(full_at_ns, now_ns, turn.bytes).bytes);
    }
  }
  for (size_t i = 0; i < member_count_; ++i) {
    if (members_[i].limit->limits(direction)) {
      const int64_t wait_ns = take(members_[i], buckets[i], direction, turn.bytes, now_ns);
      turn.wait_ns = std::max(turn.wait_ns, wait_ns);
    }
  }
  return turn;
}

/// The wait before so many bytes may pass one limit.
int64_t Pacing::take(Member& member, Bucket* bucket, Direction direction, uint64_t bytes,
                     int64_t now_ns) noexcept {
  const policy::ByteRate& rate = member.limit->rate(direction);
  const bool shadow = member.limit->config().mode == config::Mode::kShadow;
  int64_t& own = member.own_full_at_ns[index(direction)];
  int64_t full_at_ns = bucket != nullptr ? bucket->load() : own;
  policy::ByteRate::Reservation got;
  stats::BandwidthLimitSlot& stats = member.limit->stats(stream_.shard().shard());
  do {
    got = rate.reserve(full_at_ns, now_ns, bytes);
    if (shadow && got.wait_ns != 0) {
      stats.shadow_pauses.add();
      stream_.note_shadow(member.limit->config().name);
      return 0;  // nobody waits: nothing is taken either
    }
  } while (bucket != nullptr && !bucket->replace(full_at_ns, got.full_at_ns));
  own = got.full_at_ns;
  if (got.wait_ns != 0) {
    (direction == Direction::kRequest ? stats.request_pauses : stats.response_pauses).add();
  }
  return got.wait_ns;
}

void Pacing::count(Direction direction, uint64_t bytes) noexcept {
  for (size_t i = 0; i < member_count_; ++i) {
    if (members_[i].limit->limits(direction)) {
      stats::BandwidthLimitSlot& stats = members_[i].limit->stats(stream_.shard().shard());
      (direction == Direction::kRequest ? stats.request_bytes : stats.response_bytes).add(bytes);
    }
  }
}

size_t Pacing::pass(Direction direction, size_t wanted) noexcept {
  Lane& own = lane(direction);
  if (own.armed()) {
    return 0;  // its turn has not come
  }
  uint64_t passed = std::min<uint64_t>(std::exchange(own.reserved, 0), wanted);
  const int64_t now_ns = nanoseconds(stream_.now());
  while (passed < wanted) {
    const Turn turn = reserve(direction, wanted - passed, now_ns);
    if (turn.wait_ns != 0) {
      own.reserved = turn.bytes;
      own.arm(stream_.shard().timers(), Duration(turn.wait_ns));
      break;
    }
    passed += turn.bytes;
  }
  count(direction, passed);
  return passed;
}

void Pacing::stop() noexcept {
  for (Lane& lane : lanes_) {
    lane.disarm();
  }
}

// --- the limits of a route --------------------------------------------------------------------

BandwidthLimitFilter::BandwidthLimitFilter(
    std::vector<std::shared_ptr<const BandwidthLimit>> limits)
    : limits_(std::move(limits)) {}

FilterStatus BandwidthLimitFilter::on_request_headers(Stream& stream) const noexcept {
  Pacing* pacing = nullptr;
  for (const auto& limit : limits_) {
    if (limit->exempts(stream)) {
      continue;
    }
    if (pacing == nullptr) {
      char* const memory = stream.arena().allocate(sizeof(Pacing), alignof(Pacing));
      pacing = std::construct_at(reinterpret_cast<Pacing*>(memory), stream);
    }
    const bool by_key = limit->config().scope == config::BandwidthScope::kKey;
    pacing->add(*limit, by_key ? limit->key().of(stream).hash : 0);
  }
  if (pacing != nullptr) {
    stream.set_pacing(pacing);
  }
  return FilterStatus::kContinue;
}

void BandwidthLimitFilter::on_stream_end(Stream& stream) const noexcept {
  if (Pacing* pacing = stream.pacing()) {
    pacing->stop();
    stream.set_pacing(nullptr);
  }
}

}  // namespace hangu::filter
