#include "hangu/upstream/balancer.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "hangu/filter/stream.h"
#include "hangu/policy/slow_start.h"
#include "hangu/upstream/endpoint.h"

namespace hangu::upstream {
namespace {

using Order = policy::EndpointHealth::Order;

constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

// How often the share of an endpoint is raised that starts slowly.
constexpr int64_t kSlowStartSteps = 100;
constexpr int64_t kSlowStartStepMinNs = 10'000'000;

}  // namespace

Balancer::Balancer(std::shared_ptr<const policy::PoolVersion> version)
    : version_(std::move(version)) {}

bool Balancer::hashes() const noexcept {
  return config_.policy == config::BalancingPolicy::kHash ||
         config_.policy == config::BalancingPolicy::kRingHash;
}

void Balancer::configure(const config::Balancing& config) {
  config_ = config;
  key_.reset();
  if (hashes()) {
    key_.emplace(config.key, filter::RequestKey::Prefixes{}, 0);  // alike on all nodes
  }
  sticky_.configure(config.sticky);
  make_levels();
}

void Balancer::set_endpoints(std::span<const std::unique_ptr<Endpoint>> endpoints) {
  endpoints_.clear();
  for (const auto& endpoint : endpoints) {
    endpoints_.push_back(endpoint.get());
  }
  sticky_.set_endpoints(endpoints);
  make_levels();
}

void Balancer::make_levels() {
  levels_.clear();
  usable_.assign(endpoints_.size(), 0);
  for (uint32_t index = 0; index < endpoints_.size(); ++index) {
    const uint32_t priority = endpoints_[index]->priority();
    auto at = std::find_if(levels_.begin(), levels_.end(),
                           [&](const Level& level) { return level.priority >= priority; });
    if (at == levels_.end() || at->priority != priority) {
      at = levels_.emplace(at);
      at->priority = priority;
    }
    at->members.push_back(index);
  }
  for (Level& level : levels_) {
    make_table(level);
  }
  sole_ = nullptr;
  seen_ = 0;  // looks anew
}

void Balancer::make_table(Level& level) const {
  if (!hashes()) {
    return;
  }
  std::vector<policy::HashedEndpoint> hashed;
  for (const uint32_t index : level.members) {
    hashed.push_back(
        {.name = endpoints_[index]->address_text(), .weight = endpoints_[index]->weight()});
  }
  if (config_.policy == config::BalancingPolicy::kHash) {
    level.table = policy::Maglev(hashed);
  } else {
    level.ring = policy::RingHash(hashed, config_.ring_size);
  }
}

// --- what has changed -------------------------------------------------------------------------

void Balancer::look(int64_t now_ns) {
  seen_ = version_->value();
  look_again_ns_ = kNever;
  std::vector<policy::LevelMember> members;
  for (const Endpoint* endpoint : endpoints_) {
    const policy::EndpointHealth& health = endpoint->health();
    if (health.order() == Order::kReady) {
      members.push_back({.priority = endpoint->priority(), .well = health.well(now_ns)});
    }
    if (const int64_t left = health.ejected_for_ns(now_ns); left != 0) {
      look_again_at(now_ns + left);
    }
  }
  const auto loads = policy::priority_levels(members, config_.panic_percent);
  size_t usable = 0;
  for (Level& level : levels_) {
    const auto load = std::find_if(loads.begin(), loads.end(), [&](const auto& each) {
      return each.priority == level.priority;
    });
    level.load_percent = load != loads.end() ? load->load_percent : 0;
    look_at(level, load != loads.end() && load->panic, now_ns);
    usable += level.usable.size();
  }
  sole_ = endpoints_.size() == 1 && usable == 1 ? endpoints_.front() : nullptr;
}

void Balancer::look_at(Level& level, bool panic, int64_t now_ns) {
  level.usable.clear();
  level.weights.clear();
  level.weight_sum = 0;
  std::vector<policy::WeightedTurn::Member> turns;
  for (const uint32_t index : level.members) {
    const Endpoint& endpoint = *endpoints_[index];
    const policy::EndpointHealth& health = endpoint.health();
    usable_[index] = health.order() == Order::kReady && (panic || health.well(now_ns)) ? 1 : 0;
    if (usable_[index] == 0) {
      continue;
    }
    const uint32_t share =
        policy::share_of(config_.slow_start, health.there_since_ns(now_ns), now_ns);
    if (share != policy::kFullShare) {
      look_again_at(now_ns + std::max(config_.slow_start.window.count() / kSlowStartSteps,
                                      kSlowStartStepMinNs));
    }
    const uint32_t weight = endpoint.weight() * share;
    level.usable.push_back(index);
    level.weights.push_back(weight);
    level.weight_sum += weight;
    turns.push_back({.id = index, .weight = weight});
  }
  level.alike = std::all_of(level.weights.begin(), level.weights.end(),
                            [&](uint32_t weight) { return weight == level.weights.front(); });
  level.weighted_turn.set(turns);
  level.sample = policy::WeightedSample(level.weights);
}

void Balancer::look_again_at(int64_t when_ns) noexcept {
  look_again_ns_ = std::min(look_again_ns_, when_ns);
}

// --- the choice -------------------------------------------------------------------------------

Endpoint* Balancer::pick(Tried tried, filter::Stream& stream, int64_t now_ns) noexcept {
  if (version_->value() != seen_ || now_ns >= look_again_ns_) {
    look(now_ns);
  }
  if (sole_ != nullptr) {
    return sole_;
  }
  if (sticky_.enabled()) {
    if (Endpoint* found = home(tried, stream, now_ns)) {
      return found;
    }
  }
  std::optional<uint64_t> key;
  if (key_) {
    const filter::RequestKey::Hashed hashed = key_->of(stream);
    key = hashed.whole ? std::optional(hashed.hash) : std::nullopt;
  }
  size_t first = 0;
  if (levels_.size() > 1) {
    const uint64_t number = key ? *key >> 32 : stream.shard().random();
    auto percent = static_cast<uint32_t>(number % 100);
    while (first + 1 < levels_.size() && percent >= levels_[first].load_percent) {
      percent -= levels_[first].load_percent;
      ++first;
    }
  }
  const auto choose_from = [&](Tried avoided) -> Endpoint* {
    for (size_t i = 0; i < levels_.size(); ++i) {
      Level& level = levels_[(first + i) % levels_.size()];
      if (Endpoint* found = choose(level, avoided, stream, key, now_ns)) {
        return found;
      }
    }
    return nullptr;
  };
  Endpoint* found = choose_from(tried);
  if (found == nullptr && tried.size() > 1) {
    found = choose_from(tried.last(1));  // all have been asked: at least not the latest
  }
  if (found != nullptr || tried.empty()) {
    return found;
  }
  // Nobody but the one that was asked before.
  const auto again = std::find(endpoints_.begin(), endpoints_.end(), tried.back());
  const auto at = static_cast<size_t>(again - endpoints_.begin());
  return again != endpoints_.end() && usable_[at] != 0 ? *again : nullptr;
}

/// Who drains still serves those that belong to it.
Endpoint* Balancer::home(Tried tried, const filter::Stream& stream, int64_t now_ns) const noexcept {
  Endpoint* const found = sticky_.home(stream);
  if (found == nullptr || was_tried(tried, found) ||
      found->health().order() == Order::kMaintenance || !found->health().well(now_ns)) {
    return nullptr;
  }
  return found;
}

Endpoint* Balancer::choose(Level& level, Tried tried, filter::Stream& stream,
                           std::optional<uint64_t> key, int64_t now_ns) noexcept {
  using config::BalancingPolicy;
  const bool none = tried.empty() ? level.usable.empty() : first_untried(level, tried) == nullptr;
  if (none) {
    return nullptr;
  }
  if (key) {
    return by_key(level, tried, *key);
  }
  switch (config_.policy) {
    case BalancingPolicy::kLeastRequests:
      return better_of_two(level, tried, stream.shard().random(),
                           [](const Endpoint& endpoint, double weight) {
                             return static_cast<double>(endpoint.active()) / weight;
                           });
    case BalancingPolicy::kPeakEwma:
      return better_of_two(level, tried, stream.shard().random(),
                           [&](Endpoint& endpoint, double weight) {
                             return endpoint.latency().cost(endpoint.active(), now_ns) / weight;
                           });
    case BalancingPolicy::kHash:
    case BalancingPolicy::kRingHash:
    case BalancingPolicy::kRoundRobin: break;
  }
  return in_turn(level, tried);
}

Endpoint* Balancer::first_untried(const Level& level, Tried tried) const noexcept {
  for (const uint32_t index : level.usable) {
    if (!was_tried(tried, endpoints_[index])) {
      return endpoints_[index];
    }
  }
  return nullptr;
}

Endpoint* Balancer::in_turn(Level& level, Tried tried) noexcept {
  if (!level.alike) {
    const auto skipped = tried.empty()
                             ? endpoints_.end()
                             : std::find(endpoints_.begin(), endpoints_.end(), tried.back());
    Endpoint* const next =
        endpoints_[level.weighted_turn.next(static_cast<uint32_t>(skipped - endpoints_.begin()))];
    return was_tried(tried, next) ? first_untried(level, tried) : next;
  }
  for (;;) {
    level.turn = level.turn < level.usable.size() ? level.turn : 0;
    Endpoint* const next = endpoints_[level.usable[level.turn++]];
    if (!was_tried(tried, next)) {
      return next;
    }
  }
}

template <class Cost>
Endpoint* Balancer::better_of_two(Level& level, Tried tried, uint64_t random,
                                  Cost cost) const noexcept {
  const auto at = [&](size_t position) { return endpoints_[level.usable[position]]; };
  const auto found = policy::better_of_two(
      level.sample, level.usable.size(), random,
      [&](size_t position) { return !was_tried(tried, at(position)); },
      [&](size_t position) {
        return cost(*at(position), static_cast<double>(level.weights[position]) /
                                       static_cast<double>(policy::kFullShare));
      });
  return found ? at(*found) : nullptr;
}

Endpoint* Balancer::by_key(Level& level, Tried tried, uint64_t key) const noexcept {
  uint64_t active_sum = 0;
  uint64_t weight_sum = 0;
  if (config_.balance_factor != 0) {
    for (const uint32_t index : level.usable) {
      active_sum += endpoints_[index]->active();
      weight_sum += endpoints_[index]->weight();
    }
  }
  const auto usable = [&](size_t position) {
    const uint32_t index = level.members[position];
    return usable_[index] != 0 && !was_tried(tried, endpoints_[index]);
  };
  const auto roomy = [&](size_t position) {
    const Endpoint& endpoint = *endpoints_[level.members[position]];
    return usable(position) && (config_.balance_factor == 0 ||
                                policy::has_room(endpoint.active(), endpoint.weight(), active_sum,
                                                 weight_sum, config_.balance_factor));
  };
  const auto find = [&](auto accepts) {
    return level.ring.empty() ? level.table.at(key, accepts) : level.ring.at(key, accepts);
  };
  size_t position = find(roomy);
  if (!usable(position)) {
    position = find(usable);  // all room is where it has been
  }
  return usable(position) ? endpoints_[level.members[position]] : nullptr;
}

}  // namespace hangu::upstream
