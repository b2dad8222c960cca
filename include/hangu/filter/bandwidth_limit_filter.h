// BandwidthLimitFilter: gives the streams of a route a Pacing, which holds their bodies back when
// they come faster than all bandwidth limits of the route allow. A body that is paced goes through
// our memory, never from socket to socket: what it costs is bounded by its rate.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "hangu/config/config.h"
#include "hangu/event/timer.h"
#include "hangu/filter/filter.h"
#include "hangu/filter/request_key.h"
#include "hangu/policy/byte_rate.h"
#include "hangu/policy/cidr_set.h"
#include "hangu/policy/key_table.h"
#include "hangu/stats/policy_stats.h"

namespace hangu::filter {

enum class Direction : uint8_t { kRequest, kResponse };

/// The buckets of a bandwidth limit, by key; outlive config generations. Shared by all shards.
struct BandwidthCounts {
  /// When the bucket of a key is full again, in nanoseconds.
  using Table = policy::KeyTable<policy::SharedWord>;

  BandwidthCounts(size_t keys_max, uint64_t hash_seed,
                  std::shared_ptr<stats::BandwidthLimitStats> statistics)
      : tables{Table(keys_max), Table(keys_max)},
        seed(hash_seed),
        stats(std::move(statistics)) {}

  std::array<Table, 2> tables;  // by Direction
  uint64_t seed;                // random
  std::shared_ptr<stats::BandwidthLimitStats> stats;
};

/// One of `bandwidth_limits`, compiled. Immutable but for its counts.
class BandwidthLimit {
 public:
  BandwidthLimit(const config::BandwidthLimit& config, std::shared_ptr<BandwidthCounts> counts);

  const config::BandwidthLimit& config() const { return config_; }

  bool exempts(const Stream& stream) const noexcept;
  bool limits(Direction direction) const noexcept;

  const RequestKey& key() const { return key_; }

  const policy::ByteRate& rate(Direction direction) const {
    return rates_[static_cast<size_t>(direction)];
  }

  BandwidthCounts::Table& table(Direction direction) const {
    return counts_->tables[static_cast<size_t>(direction)];
  }

  stats::BandwidthLimitSlot& stats(uint32_t shard) const { return counts_->stats->slot(shard); }

 private:
  config::BandwidthLimit config_;
  std::shared_ptr<BandwidthCounts> counts_;
  std::array<policy::ByteRate, 2> rates_;  // by Direction
  policy::CidrSet exempt_;
  RequestKey key_;
};

/// The bandwidth limits of one stream: decides how much of a body may pass, and wakes the stream
/// when the rest may. In the stream's arena; BandwidthLimitFilter stops it when the stream ends.
class Pacing {
 public:
  explicit Pacing(Stream& stream)
      : lanes_{Lane(stream, Direction::kRequest), Lane(stream, Direction::kResponse)},
        stream_(stream) {}

  void add(const BandwidthLimit& limit, uint64_t key) noexcept;

  bool limits(Direction direction) const noexcept { return lane(direction).limited; }

  /// How many of `wanted` bytes may pass now. If that is not all of them, the stream is told when
  /// the next may: Stream::resume_paced().
  size_t pass(Direction direction, size_t wanted) noexcept;

  void stop() noexcept;

 private:
  struct Lane final : event::Timer {
    Lane(Stream& of, Direction which)
        : stream(of),
          direction(which) {}

    void on_timer() noexcept override;

    Stream& stream;
    Direction direction;
    bool limited = false;
    uint64_t reserved = 0;  // bytes that pass when the timer fires
  };

  struct Member {
    const BandwidthLimit* limit = nullptr;
    uint64_t key = 0;
    std::array<int64_t, 2> own_full_at_ns{};  // by Direction, of a limit for each stream
  };

  struct Turn {
    uint64_t bytes = 0;
    int64_t wait_ns = 0;
  };

  Lane& lane(Direction direction) { return lanes_[static_cast<size_t>(direction)]; }

  const Lane& lane(Direction direction) const { return lanes_[static_cast<size_t>(direction)]; }

  using Bucket = policy::SharedWord<int64_t>;

  Bucket* bucket_of(const Member& member, Direction direction, int64_t now_ns) noexcept;
  Turn reserve(Direction direction, uint64_t wanted, int64_t now_ns) noexcept;
  int64_t take(Member& member, Bucket* bucket, Direction direction, uint64_t bytes,
               int64_t now_ns) noexcept;
  void count(Direction direction, uint64_t bytes) noexcept;

  std::array<Lane, 2> lanes_;  // by Direction
  std::array<Member, config::kBandwidthLimitsMax> members_;
  size_t member_count_ = 0;
  Stream& stream_;
};

class BandwidthLimitFilter final : public Filter {
 public:
  /// Not empty.
  explicit BandwidthLimitFilter(std::vector<std::shared_ptr<const BandwidthLimit>> limits);

  std::string_view name() const override { return "bandwidth_limit"; }

  uint8_t hooks() const override { return kRequestHeaders | kStreamEnd; }

  FilterStatus on_request_headers(Stream& stream) const noexcept override;
  void on_stream_end(Stream& stream) const noexcept override;

 private:
  std::vector<std::shared_ptr<const BandwidthLimit>> limits_;
};

}  // namespace hangu::filter
