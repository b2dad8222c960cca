#include "hangu/control/fleet_member.h"

#include <algorithm>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "hangu/base/log.h"
#include "hangu/control/config_center.h"
#include "hangu/control/process.h"
#include "hangu/control/traffic_meter.h"
#include "hangu/etcd/client.h"
#include "hangu/fleet/rollout_store.h"

#include "control/certificate_watch.h"
#include "control/fleet_keys.h"
#include "control/fleet_releases.h"

namespace hangu::control {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using std::chrono::seconds;

constexpr Duration kRound = seconds(1);
constexpr std::chrono::milliseconds kLeaveWithin(500);
constexpr int kKeepAlives = 3;   // within a lease's time to live
constexpr int kAlarmRounds = 3;  // how often who is not elected looks at alarms

std::vector<fleet::NodeCertificates> certificates_of(const std::vector<fleet::NodeReport>& nodes) {
  std::vector<fleet::NodeCertificates> all;
  for (const fleet::NodeReport& each : nodes) {
    all.push_back({each.node, each.certificates});
  }
  return all;
}

}  // namespace

class FleetMember::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(asio::io_context& context, const config::Config& config, const stats::Registry& registry,
       Hooks hooks)
      : context_(context),
        options_(client_options(config.config_center)),
        client_(options_),
        store_(client_, config.config_center.prefix),
        meter_(registry),
        hooks_(std::move(hooks)),
        ttl_(std::chrono::duration_cast<seconds>(config.config_center.session_timeout)),
        round_timer_(context) {
    status_.enabled = true;
    status_.node = config.node;
    status_.labels = config.config_center.labels;
    if (hooks_.keys != nullptr) {
      status_.keys = hooks_.keys->status();
    }
  }

  void start() {
    if (hooks_.releases != nullptr) {
      releases_ = std::make_shared<FleetReleases>(hooks_.book);
      hooks_.releases->use(releases_);
      hooks_.releases->set_role(ReleaseRole::kFollow);  // until it is elected
    }
    asio::co_spawn(context_, run(), asio::detached);
  }

  void leave() {
    if (std::exchange(left_, true)) {
      return;
    }
    round_timer_.cancel();
    if (lease_ == 0 || !status_.joined) {
      return;
    }
    // The process may be gone before its own loop would come to it.
    asio::io_context apart(1);
    etcd::Client client(options_);
    asio::co_spawn(apart, revoke(client, lease_), asio::detached);
    apart.run_for(kLeaveWithin);
  }

  const FleetStatus& status() const { return status_; }

  /// Something else is in force: if that is about a rollout, the others are to know at once.
  void note() {
    if (note_rollout()) {
      round_timer_.cancel();
    }
  }

  /// From which moment on requests are counted: the rollout is known, or in force here. Whether
  /// that has changed.
  bool note_rollout() {
    const ConfigSource::RolloutReport report = hooks_.in_force().rollout;
    const std::string id =
        report.rollout && report.rollout->active() ? report.rollout->id : std::string();
    if (id != rollout_) {
      meter_.restart_after_quiet();
    } else if (report.in_force != in_force_) {
      meter_.restart();
    }
    const bool changed = id != rollout_ || report.in_force != in_force_;
    rollout_ = id;
    in_force_ = report.in_force;
    if (rollout_.empty()) {
      meter_.note(monotonic_now());
    }
    return changed;
  }

 private:
  // The coroutines hold the object; nothing goes on after leave().
  asio::awaitable<void> run() {
    const auto self = shared_from_this();
    while (!left_) {
      co_await go_round();
      if (left_) {
        co_return;
      }
      round_timer_.expires_after(kRound);
      error_code ignored;
      co_await round_timer_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
  }

  static asio::awaitable<void> revoke(etcd::Client& client, int64_t lease) {
    auto ignored = co_await client.revoke_lease(lease);
    static_cast<void>(ignored);
  }

  asio::awaitable<void> go_round() {
    note_rollout();
    std::string error = co_await hold_lease();
    if (error.empty() && !left_) {
      error = co_await report();
    }
    if (error.empty() && !left_) {
      error = co_await stand_for_election();
    }
    if (error.empty() && !left_ && status_.leads) {
      error = co_await drive();
    }
    if (!left_ && lease_ != 0 && knows_releases()) {
      const std::string also = co_await share_releases();
      error = error.empty() ? also : error;
    }
    if (!left_ && lease_ != 0 && hooks_.keys != nullptr) {
      const std::string also = co_await share_keys();
      error = error.empty() ? also : error;
    }
    if (!left_ && lease_ != 0 && (status_.leads || ++round_ % kAlarmRounds == 0)) {
      const std::string also = co_await share_alarms();
      error = error.empty() ? also : error;
    }
    if (!left_) {
      tell(error);
    }
  }

  void tell(const std::string& error) {
    if (hooks_.keys != nullptr) {
      status_.keys = hooks_.keys->status();
    }
    if (error != status_.error && !error.empty()) {
      log::warning("fleet_lost node={} error=\"{}\"", status_.node, error);
    } else if (error.empty() && !status_.joined) {
      log::info("fleet_joined node={}", status_.node);
    }
    status_.error = error;
    status_.joined = error.empty();
  }

  asio::awaitable<std::string> hold_lease() {
    const TimePoint now = monotonic_now();
    if (lease_ != 0 && now - kept_alive_ < ttl_ / kKeepAlives) {
      co_return "";
    }
    reported_.reset();  // whoever else may have written there
    if (lease_ != 0) {
      auto goes_on = co_await client_.keep_lease_alive(lease_);
      if (!goes_on) {
        if (now - kept_alive_ > ttl_) {
          lose_lease();
        }
        co_return goes_on.error().message;
      }
      if (*goes_on) {
        kept_alive_ = now;
        co_return "";
      }
      lose_lease();
    }
    auto granted = co_await client_.grant_lease(ttl_);
    if (!granted) {
      co_return granted.error().message;
    }
    lease_ = *granted;
    kept_alive_ = now;
    co_return "";
  }

  void lose_lease() {
    lease_ = 0;
    lose_lead("its lease has ended");
  }

  fleet::NodeReport make_report() const {
    const InForce in_force = hooks_.in_force();
    fleet::NodeReport report;
    report.node = status_.node;
    report.labels = status_.labels;
    report.version = HANGU_VERSION;
    report.revision = in_force.revision;
    report.rollout = rollout_;
    report.ready = in_force.rollout.in_force && in_force.rollout.refusal.empty();
    report.refusal = rollout_.empty() ? std::string() : in_force.rollout.refusal;
    if (!rollout_.empty()) {
      report.now = meter_.since_restart();
      report.before = meter_.before();
    }
    if (knows_releases()) {
      for (const auto& [route, testimony] : hooks_.releases->testimony()) {
        report.releases[route] = encode(testimony);
      }
    }
    report.keys = hooks_.keys != nullptr ? hooks_.keys->generation() : 0;
    if (hooks_.certificates) {
      report.certificates = hooks_.certificates();
    }
    return report;
  }

  asio::awaitable<std::string> report() {
    fleet::NodeReport report = make_report();
    if (reported_ == report) {
      co_return "";
    }
    std::vector<etcd::Operation> operations;
    operations.push_back({store_.node_key(report.node), fleet::to_json(report), lease_});
    auto done = co_await client_.transact({}, std::move(operations));
    if (!done) {
      co_return done.error().message;
    }
    reported_ = std::move(report);
    co_return "";
  }

  asio::awaitable<std::string> stand_for_election() {
    etcd::RangeRequest request;
    request.key = store_.leader_key();
    auto found = co_await client_.range(request);
    if (!found) {
      co_return found.error().message;
    }
    if (!found->keys.empty()) {
      note_leader(found->keys[0]);
      co_return "";
    }
    lose_lead("nobody is elected");
    status_.leader.clear();
    auto nodes = co_await store_.nodes();
    if (!nodes || left_ || is_behind(*nodes)) {
      co_return nodes ? std::string() : nodes.error();  // somebody with the keys will stand
    }
    std::vector<etcd::Compare> compares;
    compares.push_back({request.key, 0});
    std::vector<etcd::Operation> operations;
    operations.push_back({request.key, status_.node, lease_});
    auto done = co_await client_.transact(std::move(compares), std::move(operations));
    if (!done) {
      co_return done.error().message;
    }
    if (done->succeeded && !left_) {
      lead(done->revision);
    }
    co_return "";
  }

  void note_leader(const etcd::KeyValue& key) {
    status_.leader = key.value;
    const bool ours = key.lease != 0 && key.lease == lease_;
    if (!ours) {
      lose_lead("somebody else is elected");
    } else if (!status_.leads && !left_) {
      lead(key.mod_revision);  // the answer to our standing was lost
    }
  }

  void lead(int64_t since) {
    status_.leads = true;
    status_.leader = status_.node;
    led_since_ = since;
    log::info("fleet_elected node={}", status_.node);
    tell_role();
  }

  void lose_lead(std::string_view reason) {
    if (std::exchange(status_.leads, false)) {
      log::warning("fleet_election_lost node={} reason=\"{}\"", status_.node, reason);
      if (hooks_.keys != nullptr) {
        hooks_.keys->stand_back();
      }
      tell_role();
    }
    led_since_ = 0;
  }

  void tell_role() {
    if (hooks_.releases != nullptr && !left_) {
      hooks_.releases->set_role(status_.leads ? ReleaseRole::kDrive : ReleaseRole::kFollow);
    }
  }

  bool knows_releases() const { return hooks_.releases != nullptr && !hooks_.releases->empty(); }

  /// Takes what others have written of releases, and writes what they do not know.
  asio::awaitable<std::string> share_releases() {
    etcd::RangeRequest request;
    request.key = store_.releases_key();
    auto found = co_await client_.range(request);
    if (!found || left_) {
      co_return found ? std::string() : found.error().message;
    }
    const bool is_there = !found->keys.empty();
    releases_->take(is_there ? std::optional<std::string_view>(found->keys[0].value) : std::nullopt,
                    status_.leads);
    if (const auto text = releases_->to_write(status_.leads)) {
      std::vector<etcd::Compare> compares;
      compares.push_back({request.key, is_there ? found->keys[0].mod_revision : 0});
      if (status_.leads) {
        compares.push_back({store_.leader_key(), led_since_});
      }
      std::vector<etcd::Operation> operations;
      operations.push_back({request.key, *text});
      auto done = co_await client_.transact(std::move(compares), std::move(operations));
      if (!done) {
        co_return done.error().message;
      }
    }
    if (status_.leads && !left_) {
      co_return co_await hear_of_releases();
    }
    co_return "";
  }

  /// Generations of the shared keys that the other nodes have.
  std::vector<uint64_t> keys_of_others(const std::vector<fleet::NodeReport>& nodes) const {
    std::vector<uint64_t> all;
    for (const fleet::NodeReport& each : nodes) {
      if (each.node != status_.node) {
        all.push_back(each.keys);
      }
    }
    return all;
  }

  /// Whether another node has keys that this one has not: it could not see to them.
  bool is_behind(const std::vector<fleet::NodeReport>& nodes) const {
    const uint64_t ours = hooks_.keys != nullptr ? hooks_.keys->generation() : 0;
    return fleet::is_behind(ours, keys_of_others(nodes));
  }

  /// Takes the keys that all nodes have in common, and the step with them that is due.
  asio::awaitable<std::string> share_keys() {
    etcd::RangeRequest request;
    request.key = store_.keys_key();
    auto found = co_await client_.range(request);
    if (!found || left_) {
      co_return found ? std::string() : found.error().message;
    }
    const bool is_there = !found->keys.empty();
    hooks_.keys->take(is_there ? std::optional<std::string_view>(found->keys[0].value)
                               : std::nullopt);
    if (!status_.leads) {
      co_return "";
    }
    auto nodes = co_await store_.nodes();
    if (!nodes || left_ || !status_.leads) {
      co_return nodes ? std::string() : nodes.error();
    }
    if (is_behind(*nodes)) {
      hooks_.keys->stand_back();
      co_return co_await resign();
    }
    if (const auto text = hooks_.keys->to_write(keys_of_others(*nodes))) {
      std::vector<etcd::Compare> compares;
      compares.push_back({request.key, is_there ? found->keys[0].mod_revision : 0});
      compares.push_back({store_.leader_key(), led_since_});
      std::vector<etcd::Operation> operations;
      operations.push_back({request.key, *text});
      auto done = co_await client_.transact(std::move(compares), std::move(operations));
      if (done && done->succeeded && !left_) {
        hooks_.keys->take(*text);
      }
      co_return done ? std::string() : done.error().message;
    }
    co_return "";
  }

  /// Makes room for somebody who has keys that this node has not.
  asio::awaitable<std::string> resign() {
    std::vector<etcd::Compare> compares;
    compares.push_back({store_.leader_key(), led_since_});
    std::vector<etcd::Operation> operations;
    operations.push_back({store_.leader_key(), std::nullopt});
    auto done = co_await client_.transact(std::move(compares), std::move(operations));
    if (done && !left_) {
      lose_lead("another node has the shared keys, and this one has not");
      status_.leader.clear();
    }
    co_return done ? std::string() : done.error().message;
  }

  /// About certificates: each is told once a day, by who is elected, and only if it could write
  /// that down.
  asio::awaitable<std::string> share_alarms() {
    etcd::RangeRequest request;
    request.key = store_.alarms_key();
    auto found = co_await client_.range(request);
    if (!found || left_) {
      co_return found ? std::string() : found.error().message;
    }
    const bool is_there = !found->keys.empty();
    const auto stored = fleet::CertificateAlarms::read(is_there ? found->keys[0].value : "");
    status_.certificates = stored.active();
    if (!status_.leads) {
      co_return "";
    }
    auto nodes = co_await store_.nodes();
    if (!nodes || left_) {
      co_return nodes ? std::string() : nodes.error();
    }
    if (is_behind(*nodes)) {
      co_return co_await resign();
    }
    fleet::CertificateAlarms next = stored;
    const WallTime now = wall_now();
    const fleet::CertificateAlarms::Step step = next.update(certificates_of(*nodes), now);
    if (next == stored) {
      co_return "";
    }
    std::vector<etcd::Compare> compares;
    compares.push_back({request.key, is_there ? found->keys[0].mod_revision : 0});
    compares.push_back({store_.leader_key(), led_since_});
    std::vector<etcd::Operation> operations;
    operations.push_back({request.key, next.to_json()});
    auto done = co_await client_.transact(std::move(compares), std::move(operations));
    if (done && done->succeeded && !left_) {
      control::tell(step, now);
      status_.certificates = next.active();
    }
    co_return done ? std::string() : done.error().message;
  }

  /// What the other nodes have seen of them.
  asio::awaitable<std::string> hear_of_releases() {
    auto nodes = co_await store_.nodes();
    if (!nodes || left_) {
      co_return nodes ? std::string() : nodes.error();
    }
    ReleaseController::Testimonies testimonies;
    for (const fleet::NodeReport& each : *nodes) {
      for (const auto& [route, text] : each.releases) {
        auto testimony = decode_testimony(text);
        if (testimony && each.node != status_.node) {
          testimonies[route].push_back(std::move(*testimony));
        }
      }
    }
    hooks_.releases->set_peers(std::move(testimonies));
    co_return "";
  }

  /// One step of the rollout, if there is one and it is time.
  asio::awaitable<std::string> drive() {
    auto stored = co_await store_.read();
    if (!stored) {
      co_return stored.error();
    }
    if (!stored->rollout || !stored->rollout->active()) {
      co_return "";
    }
    auto nodes = co_await store_.nodes();
    if (!nodes || left_) {
      co_return nodes ? std::string() : nodes.error();
    }
    auto next = fleet::advance(*stored->rollout, *nodes, wall_now());
    if (!next) {
      co_return "";
    }
    co_return co_await write(std::move(*stored), std::move(*next));
  }

  asio::awaitable<std::string> write(fleet::StoredRollout before, fleet::Rollout next) {
    const etcd::Compare fence{store_.leader_key(), led_since_};
    if (next.state == fleet::Rollout::State::kComplete) {
      auto written = co_await store_.complete(std::move(before), next, fence, wall_now());
      if (!written) {
        co_return written.error();
      }
      next = std::move(*written);
    } else {
      if (!next.active()) {
        fleet::forget_documents(next);
      }
      auto written = co_await store_.write(std::move(before), next, fence);
      if (!written) {
        co_return written.error();
      }
    }
    if (left_) {
      co_return "";
    }
    log::info("rollout id={} state={} stage={} nodes={} cause=\"{}\"", next.id,
              fleet::to_string(next.state), next.plan.stages[next.stage],
              next.everyone ? "all" : std::to_string(next.nodes.size()), next.cause);
    hooks_.on_driven(next);
    co_return "";
  }

  asio::io_context& context_;
  etcd::Options options_;
  etcd::Client client_;
  fleet::RolloutStore store_;
  TrafficMeter meter_;
  Hooks hooks_;
  const seconds ttl_;
  asio::steady_timer round_timer_;
  FleetStatus status_;
  std::shared_ptr<FleetReleases> releases_;  // nullptr: they are no business of the fleet's
  int64_t lease_ = 0;                        // 0: none
  TimePoint kept_alive_;
  int64_t led_since_ = 0;                      // revision of our election
  std::optional<fleet::NodeReport> reported_;  // what stands in the store, as far as is known
  int round_ = 0;
  std::string rollout_;  // that requests are counted for; empty: none
  bool in_force_ = false;
  bool left_ = false;
};

FleetMember::FleetMember(asio::io_context& context, const config::Config& config,
                         const stats::Registry& registry, Hooks hooks)
    : impl_(std::make_shared<Impl>(context, config, registry, std::move(hooks))) {}

FleetMember::~FleetMember() {
  leave();
}

void FleetMember::start() {
  impl_->start();
}

void FleetMember::note() {
  impl_->note();
}

void FleetMember::leave() {
  impl_->leave();
}

FleetStatus FleetMember::status() const {
  return impl_->status();
}

}  // namespace hangu::control
