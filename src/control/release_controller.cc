#include "hangu/control/release_controller.h"

#include <algorithm>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <fmt/format.h>

#include "hangu/base/log.h"
#include "hangu/base/page_summaries.h"
#include "hangu/base/unix_time.h"
#include "hangu/control/process.h"
#include "hangu/server/gateway.h"
#include "hangu/stats/registry.h"

#include "control/audit_events.h"
#include "control/rounds.h"

namespace hangu::control {
namespace {

using policy::Release;
using policy::ReleaseChange;
using policy::ReleaseDecision;
using policy::ReleaseEvidence;
using policy::ReleaseNumbers;
using policy::ReleaseStage;
using policy::ReleaseState;
using policy::ReleaseWindow;

constexpr Duration kIdleInterval = std::chrono::seconds(1);
// Of releases whose routes are not there at the moment: more are forgotten.
constexpr size_t kAbsentMax = 10'000;

int64_t unix_ms() {
  return unix_milliseconds(wall_now());
}

std::string_view guard_text(const config::ReleaseGuard& guard) {
  if (!guard.enabled) {
    return "";
  }
  switch (guard.mode) {
    case config::Mode::kEnforce: return "enforce";
    case config::Mode::kShadow: return "shadow";
    case config::Mode::kOff: return "off";
  }
  return "";
}

void add_counts(const stats::SplitPartStats& stats, ReleaseNumbers& sum) {
  for (const stats::SplitPartSlot& slot : stats.slots()) {
    sum.requests += slot.requests.value();
    sum.errors += slot.errors.value();
    for (size_t i = 0; i < sum.latency.size(); ++i) {
      sum.latency[i] += slot.latency.bucket(i);
    }
  }
}

ReleaseSide side_of(const ReleaseNumbers& numbers) {
  return {.requests = numbers.requests, .errors = numbers.errors, .p99_us = numbers.p99_us()};
}

bool is_released(const config::Route& route) {
  return route.split.enabled && route.split.ramp.enabled;
}

/// One release that the config in force has.
struct Entry {
  Entry(const config::Config& config, const config::Route& route, ReleaseState state)
      : upstream(config.upstreams[route.split.ramp.to].name),
        identity(policy::release_identity(config, route.split)),
        guard(policy::guard_identity(route.split.guard)),
        release(route.split.ramp, route.split.guard, std::move(state)),
        window(route.split.guard.window) {}

  /// What the parts have counted since the last time.
  void sample(int64_t now_ms) {
    ReleaseEvidence sum;
    for (const auto& [stats, is_released] : parts) {
      add_counts(*stats, is_released ? sum.released : sum.others);
    }
    window.add({sum.released.since(counted.released), sum.others.since(counted.others)}, now_ms);
    counted = sum;
  }

  std::string upstream;
  std::string version;
  std::string identity;
  std::string guard;
  Release release;
  ReleaseWindow window;
  ReleaseEvidence counted;                                                     // ever
  std::vector<std::pair<std::shared_ptr<stats::SplitPartStats>, bool>> parts;  // is it released?
  std::shared_ptr<policy::ReleaseShare> share;
  std::array<uint64_t, policy::kReleaseDecisions> decisions{};
};

}  // namespace

std::string share_text(uint32_t buckets) {
  std::string text = fmt::format("{}.{:02}", buckets / 100, buckets % 100);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) {
    text.pop_back();
  }
  return text + '%';
}

class ReleaseController::Impl {
 public:
  Impl(boost::asio::io_context& context, std::function<bool()> serves)
      : serves_(std::move(serves)),
        rounds_(context) {}

  void use(std::shared_ptr<ReleaseBook> book) {
    if (book_ != nullptr) {
      book_->on_news({});
    }
    book_ = std::move(book);
    book_->on_news([this](const SavedReleases& news) { take(news); });
    take(book_->load());
  }

  void read_again() {
    if (book_ != nullptr) {
      take(book_->load());
    }
  }

  /// Who begins to drive tells the book what it knows.
  void set_role(ReleaseRole role) {
    if (std::exchange(role_, role) == role) {
      return;
    }
    peers_.clear();
    if (role == ReleaseRole::kDrive) {
      save();
    }
  }

  void apply(std::shared_ptr<const config::Config> config, server::Gateway& gateway) {
    gateway_ = &gateway;
    config_ = std::move(config);
    std::map<std::string, Entry, std::less<>> before = std::exchange(entries_, {});
    bool changed = false;
    for (const size_t at : released_.update(config_->routes, is_released)) {
      changed = add(config_->routes[at], before) || changed;
    }
    for (auto& [name, entry] : before) {
      keep(name, entry);
    }
    if (changed && role_ == ReleaseRole::kDrive) {
      save();
    }
    // Not anew with each of many changes: there would be no round ever.
    if (!entries_.empty() && (waiting_ == Duration::zero() || interval() < waiting_)) {
      waiting_ = interval();
      rounds_.start(waiting_, [this] { return round(); });
    }
  }

  void stop() {
    rounds_.stop();
    gateway_ = nullptr;
  }

  Result<void, std::string> order(std::string_view route, policy::ReleaseOrder order,
                                  std::string_view actor) {
    const auto found = entries_.find(route);
    if (found == entries_.end() || gateway_ == nullptr) {
      return Failure<std::string>{fmt::format("route \"{}\" has no release", route)};
    }
    if (!serves_()) {
      return Failure<std::string>{"another process is about to take over, or has"};
    }
    Entry& entry = found->second;
    const auto change = entry.release.obey(order, actor, unix_ms());
    if (!change) {
      return Failure<std::string>{change.error()};
    }
    finish(found->first, entry, *change);
    save();
    return {};
  }

  bool empty() const { return entries_.empty(); }

  std::vector<ReleaseStatus> status() const {
    std::vector<ReleaseStatus> all;
    const int64_t now_ms = unix_ms();
    for (const auto& [route, entry] : entries_) {
      const ReleaseEvidence seen = evidence_of(route, entry, now_ms);
      all.push_back({.route = route,
                     .upstream = entry.upstream,
                     .version = entry.version,
                     .state = entry.release.state(),
                     .ramp = entry.release.ramp(),
                     .guard = guard_text(entry.release.guard()),
                     .until_step = entry.release.until_step(now_ms),
                     .released = side_of(seen.released),
                     .others = side_of(seen.others),
                     .decisions = entry.decisions});
    }
    return all;
  }

  std::map<std::string, ReleaseTestimony> testimony() const {
    std::map<std::string, ReleaseTestimony> all;
    for (const auto& [route, entry] : entries_) {
      all[route] = {.release = entry.identity,
                    .judged_from = entry.release.state().judged_from,
                    .seen = entry.window.sum(unix_ms())};
    }
    return all;
  }

  void set_peers(Testimonies testimonies) { peers_ = std::move(testimonies); }

 private:
  /// Whether it is one that was not known.
  bool add(const config::Route& route, std::map<std::string, Entry, std::less<>>& before) {
    const std::string identity = policy::release_identity(*config_, route.split);
    bool is_new = false;
    const auto found = before.find(route.name);
    if (found != before.end() && found->second.identity == identity) {
      entries_.insert(before.extract(found));
    } else {
      if (found != before.end()) {
        before.erase(found);
      }
      is_new = begin(route, identity);
    }
    Entry& entry = entries_.at(route.name);
    is_new = follow_guard(route, entry) || is_new;
    connect(route, entry);
    return is_new;
  }

  /// Goes on where the book says that it is, or begins.
  bool begin(const config::Route& route, const std::string& identity) {
    const auto known = saved_.find(route.name);
    const bool goes_on = known != saved_.end() && known->second.release == identity;
    Entry entry(*config_, route,
                goes_on ? known->second.state : Release::begin(route.split.ramp, unix_ms()));
    entry.guard = goes_on ? known->second.guard : entry.guard;
    saved_.erase(route.name);
    Entry& placed = entries_.emplace(route.name, std::move(entry)).first->second;
    if (!goes_on) {
      tell(route.name, placed, {.decision = ReleaseDecision::kBegin, .share_before = 0});
    }
    return !goes_on;
  }

  /// Another guard judges anew; what the one before ended begins again.
  bool follow_guard(const config::Route& route, Entry& entry) {
    std::string guard = policy::guard_identity(route.split.guard);
    if (guard == entry.guard) {
      return false;
    }
    entry.guard = std::move(guard);
    entry.release.set_guard(route.split.guard);
    entry.window = ReleaseWindow(route.split.guard.window);
    const ReleaseState& state = entry.release.state();
    if (state.stage != ReleaseStage::kHeld && state.stage != ReleaseStage::kRolledBack) {
      return true;
    }
    const ReleaseChange change{.decision = ReleaseDecision::kBegin,
                               .stage_before = state.stage,
                               .share_before = state.share};
    ReleaseState anew = Release::begin(route.split.ramp, unix_ms());
    anew.revision = state.revision + 1;
    anew.judged_from = anew.revision;
    entry.release.follow(std::move(anew));
    tell(route.name, entry, change);
    return true;
  }

  /// The shards' side of it.
  void connect(const config::Route& route, Entry& entry) {
    stats::Registry& registry = gateway_->registry();
    entry.parts.clear();
    for (const config::Split::Part& part : route.split.upstreams) {
      const bool is_released = part.upstream == route.split.ramp.to;
      auto stats = registry.split_part({.route = route.name,
                                        .upstream = config_->upstreams[part.upstream].name,
                                        .version = part.version});
      const bool known = std::any_of(entry.parts.begin(), entry.parts.end(),
                                     [&](const auto& each) { return each.first == stats; });
      if (!known) {
        entry.parts.emplace_back(std::move(stats), is_released);
      }
      if (is_released && entry.version.empty()) {
        entry.version = part.version;
      }
    }
    if (entry.share == nullptr) {  // what was counted before this release is not its doing
      entry.sample(unix_ms());
      entry.window.clear();
    }
    entry.share = gateway_->release_share(route.name);
    publish(entry);
  }

  static void publish(Entry& entry) {
    if (entry.share != nullptr) {
      entry.share->set(entry.release.state().share);
    }
  }

  /// Its route is gone, or its release; the route may come back.
  void keep(const std::string& route, const Entry& entry) {
    if (saved_.size() < kAbsentMax) {
      saved_[route] = saved_of(route, entry);
    }
  }

  static SavedRelease saved_of(const std::string& route, const Entry& entry) {
    return {.route = route,
            .release = entry.identity,
            .guard = entry.guard,
            .state = entry.release.state()};
  }

  void save() {
    if (book_ == nullptr || !serves_()) {
      return;
    }
    SavedReleases all;
    for (const auto& [route, entry] : entries_) {
      all.push_back(saved_of(route, entry));
    }
    for (const auto& [route, saved] : saved_) {
      all.push_back(saved);
    }
    book_->save(all);
  }

  /// What the book says.
  void take(const SavedReleases& news) {
    for (const SavedRelease& each : news) {
      const auto found = entries_.find(each.route);
      if (found == entries_.end() || found->second.identity != each.release) {
        if (saved_.size() < kAbsentMax) {
          saved_[each.route] = each;  // its config may come later
        }
        continue;
      }
      Entry& entry = found->second;
      const ReleaseState& before = entry.release.state();
      if (!policy::outranks(each.state, before)) {
        continue;
      }
      if (before.judged_from != each.state.judged_from) {
        entry.sample(unix_ms());
        entry.window.clear();
      }
      entry.release.follow(each.state);
      publish(entry);
      log::info("event=release_followed route={} stage={} share={} cause={} actor={}", each.route,
                policy::to_string(each.state.stage), share_text(each.state.share), each.state.cause,
                each.state.actor);
    }
  }

  ReleaseEvidence evidence_of(const std::string& route, const Entry& entry, int64_t now_ms) const {
    ReleaseEvidence seen = entry.window.sum(now_ms);
    const auto peers = peers_.find(route);
    if (peers == peers_.end()) {
      return seen;
    }
    for (const ReleaseTestimony& each : peers->second) {
      if (each.release == entry.identity && each.judged_from == entry.release.state().judged_from) {
        seen.add(each.seen);
      }
    }
    return seen;
  }

  Duration interval() const {
    Duration interval = kIdleInterval;
    for (const auto& [route, entry] : entries_) {
      interval = std::min(interval, entry.release.interval());
    }
    return interval;
  }

  Duration round() {
    const int64_t now_ms = unix_ms();
    const bool drives = role_ == ReleaseRole::kDrive && serves_();
    bool changed = false;
    for (auto& [route, entry] : entries_) {
      entry.sample(now_ms);
      if (!drives) {
        continue;
      }
      if (const auto change = entry.release.advance(evidence_of(route, entry, now_ms), now_ms)) {
        finish(route, entry, *change);
        changed = true;
      }
    }
    if (changed) {
      save();
    }
    waiting_ = interval();
    return waiting_;
  }

  void finish(const std::string& route, Entry& entry, const ReleaseChange& change) {
    if (change.decision == ReleaseDecision::kResume) {
      entry.sample(unix_ms());  // what stopped it may have been mended: it is not to count
      entry.window.clear();
    }
    publish(entry);
    tell(route, entry, change);
  }

  void tell(const std::string& route, Entry& entry, const ReleaseChange& change) {
    ++entry.decisions[static_cast<size_t>(change.decision)];
    const ReleaseState& state = entry.release.state();
    const bool bad = change.decision == ReleaseDecision::kHold ||
                     change.decision == ReleaseDecision::kRollback ||
                     change.decision == ReleaseDecision::kShadow;
    const std::string text = fmt::format(
        "event=release route={} upstream={} decision={} stage={} share={} before={} cause={} "
        "actor={} numbers=\"{}\"",
        route, entry.upstream, policy::to_string(change.decision), policy::to_string(state.stage),
        share_text(state.share), share_text(change.share_before), state.cause, state.actor,
        state.numbers);
    bad ? log::warning("{}", text) : log::info("{}", text);
    if (serves_() && (role_ == ReleaseRole::kDrive || change.decision >= ReleaseDecision::kPause)) {
      record_release(gateway_->audit_log(), {.generation = config_->generation,
                                             .actor = state.actor,
                                             .route = route,
                                             .upstream = entry.upstream,
                                             .decision = policy::to_string(change.decision),
                                             .before = share_text(change.share_before),
                                             .after = share_text(state.share),
                                             .cause = state.cause,
                                             .numbers = state.numbers});
    }
  }

  std::function<bool()> serves_;
  Rounds rounds_;
  Duration waiting_{};  // for the next round; 0: there is none yet
  std::shared_ptr<ReleaseBook> book_;
  ReleaseRole role_ = ReleaseRole::kDrive;
  server::Gateway* gateway_ = nullptr;
  std::shared_ptr<const config::Config> config_;
  std::map<std::string, Entry, std::less<>> entries_;  // by route
  std::map<std::string, SavedRelease> saved_;          // of routes that are not there
  PlacesWhere<config::Route> released_;                // the routes with a release
  Testimonies peers_;
};

ReleaseController::ReleaseController(boost::asio::io_context& context, std::function<bool()> serves)
    : impl_(std::make_unique<Impl>(context, std::move(serves))) {}

ReleaseController::~ReleaseController() = default;

void ReleaseController::use(std::shared_ptr<ReleaseBook> book) {
  impl_->use(std::move(book));
}

void ReleaseController::read_again() {
  impl_->read_again();
}

void ReleaseController::set_role(ReleaseRole role) {
  impl_->set_role(role);
}

void ReleaseController::apply(std::shared_ptr<const config::Config> config,
                              server::Gateway& gateway) {
  impl_->apply(std::move(config), gateway);
}

void ReleaseController::stop() {
  impl_->stop();
}

Result<void, std::string> ReleaseController::order(std::string_view route,
                                                   policy::ReleaseOrder order,
                                                   std::string_view actor) {
  return impl_->order(route, order, actor);
}

bool ReleaseController::empty() const {
  return impl_->empty();
}

std::vector<ReleaseStatus> ReleaseController::status() const {
  return impl_->status();
}

std::map<std::string, ReleaseTestimony> ReleaseController::testimony() const {
  return impl_->testimony();
}

void ReleaseController::set_peers(Testimonies testimonies) {
  impl_->set_peers(std::move(testimonies));
}

}  // namespace hangu::control
