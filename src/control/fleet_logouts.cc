#include "control/fleet_logouts.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "hangu/base/log.h"
#include "hangu/base/unix_time.h"
#include "hangu/control/config_center.h"
#include "hangu/control/process.h"
#include "hangu/fleet/logout_record.h"

namespace hangu::control {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using identity::LogoutEntry;

constexpr Duration kRound = std::chrono::seconds(1);
constexpr size_t kBatchMax = 100;

// How much longer than its entries a lease may last: so many share one.
constexpr int64_t kSlackMinS = 60;
constexpr int64_t kSlackPart = 8;

int64_t slack_of(int64_t left_s) {
  return std::max(kSlackMinS, left_s / kSlackPart);
}

}  // namespace

std::function<void(FleetLogouts::Entries)> FleetLogouts::open(const config::Config& config) {
  if (!config.config_center.enabled || !config.config_center.member) {
    return {};
  }
  prefix_ = config.config_center.prefix + std::string(fleet::kLogoutsKey);
  client_ = std::make_shared<etcd::Client>(client_options(config.config_center));
  follower_ = std::make_unique<EtcdFollower>(context_, client_, "fleet_logouts", follower_hooks());
  return [weak = weak_from_this(), &context = context_](Entries entries) {
    asio::post(context, [weak, entries = std::move(entries)] {
      if (const auto self = weak.lock()) {
        self->tell(entries);
      }
    });
  };
}

void FleetLogouts::begin(server::Gateway& gateway) {
  gateway_ = &gateway;
  if (follower_ != nullptr) {
    follower_->start();
    asio::co_spawn(context_, run(), asio::detached);
  }
}

void FleetLogouts::leave() {
  gateway_ = nullptr;
  if (follower_ != nullptr) {
    follower_->stop();
  }
}

/// Behind what the gateway has left in the context's queue.
void FleetLogouts::finish(Duration at_most, std::function<void()> done) {
  if (follower_ == nullptr) {
    done();
    return;
  }
  finished_ = std::move(done);
  asio::post(context_, [self = shared_from_this()] {
    self->finishing_ = true;
    self->timer_.cancel();
  });
  finish_timer_.expires_after(at_most);
  finish_timer_.async_wait([self = shared_from_this()](error_code error) {
    if (!error) {
      self->end();
    }
  });
}

void FleetLogouts::stop() {
  leave();
  stopped_ = true;
  finished_ = {};
  timer_.cancel();
  finish_timer_.cancel();
}

void FleetLogouts::end() {
  if (stopped_) {
    return;
  }
  const std::function<void()> finished = std::move(finished_);
  stop();
  if (!waiting_.empty()) {
    log::warning("event=fleet_logouts_left waiting={} effect=\"the next process tells them\"",
                 waiting_.size());
  }
  if (finished) {
    finished();
  }
}

LogoutSharing FleetLogouts::status() const {
  LogoutSharing status{.enabled = follower_ != nullptr,
                       .error = error_,
                       .waiting = waiting_.size(),
                       .shared = shared_,
                       .overflows = overflows_};
  if (follower_ != nullptr) {
    status.connected = follower_->state().connected;
    status.error = status.error.empty() ? follower_->state().error : status.error;
  }
  return status;
}

// --- from here to there -----------------------------------------------------------------------

void FleetLogouts::tell(const Entries& entries) {
  if (stopped_) {
    return;
  }
  for (const LogoutEntry& entry : entries) {
    if (waiting_.size() < kWaitingMax) {
      waiting_.emplace(fleet::logout_name(entry), entry);
      continue;
    }
    ++overflows_;
    if (!std::exchange(overflowed_, true)) {
      log::error("event=fleet_logouts_overflow waiting={} effect=\"the others are told later\"",
                 waiting_.size());
    }
  }
  timer_.cancel();
}

// The coroutine holds the object; nothing goes on after end().
asio::awaitable<void> FleetLogouts::run() {
  const auto self = shared_from_this();
  while (!stopped_) {
    look_whether_to_follow();
    std::string error;
    while (!stopped_ && error.empty() && !waiting_.empty()) {
      error = co_await put_waiting();
    }
    if (finishing_ && (error.empty() || std::exchange(tried_last_, true))) {
      end();
    }
    if (stopped_) {
      co_return;
    }
    if (finishing_) {
      continue;  // once more: a lease may have gone, or a member
    }
    note(error);
    timer_.expires_after(kRound);
    error_code ignored;
    co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
}

/// The documents may bring a provider that can end sessions, at any time.
void FleetLogouts::look_whether_to_follow() {
  if (!follows_ && gateway_ != nullptr && gateway_->ends_sessions()) {
    follows_ = true;
    std::vector<std::string> prefixes;
    prefixes.push_back(prefix_);
    follower_->follow(std::move(prefixes));
  }
}

/// Some of them: those that one lease is good for. Why not; empty: done.
asio::awaitable<std::string> FleetLogouts::put_waiting() {
  drop_over();
  if (waiting_.empty()) {
    co_return "";
  }
  const int64_t until_s = waiting_.begin()->second.until_s;
  if (lease_for(until_s) == nullptr) {
    const std::string error = co_await grant(until_s);
    if (!error.empty() || stopped_) {
      co_return error;
    }
  }
  const Lease* const lease = lease_for(until_s);
  if (lease == nullptr) {
    co_return "the lease is over already";
  }
  const int64_t lease_id = lease->id;
  const Batch batch = batch_for(*lease);
  std::vector<etcd::Operation> operations = batch.operations;
  auto done = co_await client_->transact({}, std::move(operations));
  if (stopped_) {
    co_return "";
  }
  if (!done) {
    const etcd::Error::Kind kind = done.error().kind;
    if (kind != etcd::Error::Kind::kUnreachable && kind != etcd::Error::Kind::kDenied) {
      // The store may not know it any more.
      std::erase_if(leases_, [lease_id](const Lease& each) { return each.id == lease_id; });
    }
    co_return done.error().message;
  }
  note_put(batch);
  co_return "";
}

asio::awaitable<std::string> FleetLogouts::grant(int64_t until_s) {
  const int64_t now_s = unix_seconds(wall_now());
  const int64_t left_s = std::max<int64_t>(until_s - now_s, 1);
  const std::chrono::seconds ttl(left_s + slack_of(left_s));
  auto granted = co_await client_->grant_lease(ttl);
  if (!granted) {
    co_return granted.error().message;
  }
  Lease lease;
  lease.id = *granted;
  lease.until_s = now_s + ttl.count();
  leases_.push_back(lease);
  co_return "";
}

/// nullptr: none that lasts long enough, and not much too long.
const FleetLogouts::Lease* FleetLogouts::lease_for(int64_t until_s) const {
  const int64_t longest_s =
      until_s + slack_of(std::max<int64_t>(until_s - unix_seconds(wall_now()), 1)) + 1;
  const auto found = std::find_if(leases_.begin(), leases_.end(), [&](const Lease& each) {
    return each.until_s >= until_s && each.until_s <= longest_s;
  });
  return found != leases_.end() ? &*found : nullptr;
}

void FleetLogouts::drop_over() {
  const int64_t now_s = unix_seconds(wall_now());
  std::erase_if(waiting_, [now_s](const auto& each) { return each.second.until_s <= now_s; });
  std::erase_if(leases_, [now_s](const Lease& each) { return each.until_s <= now_s; });
}

FleetLogouts::Batch FleetLogouts::batch_for(const Lease& lease) const {
  Batch batch;
  for (const auto& [name, entry] : waiting_) {
    if (batch.names.size() == kBatchMax) {
      break;
    }
    if (lease_for(entry.until_s) == &lease) {
      batch.names.push_back(name);
      batch.operations.push_back({prefix_ + name, fleet::logout_value(entry), lease.id});
    }
  }
  return batch;
}

void FleetLogouts::note_put(const Batch& batch) {
  for (const std::string& name : batch.names) {
    waiting_.erase(name);
  }
  shared_ += batch.names.size();
  if (gateway_ != nullptr && waiting_.empty() && std::exchange(overflowed_, false)) {
    follower_->begin_anew("more was ended than could wait");  // and what it lacks is put then
  }
}

void FleetLogouts::note(const std::string& error) {
  if (!error.empty() && error_.empty()) {
    log::warning("event=fleet_logouts_wait waiting={} error=\"{}\"", waiting_.size(), error);
  } else if (error.empty() && !error_.empty()) {
    log::info("event=fleet_logouts_told shared={}", shared_);
  }
  error_ = error;
}

// --- from there to here -----------------------------------------------------------------------

EtcdFollower::Hooks FleetLogouts::follower_hooks() {
  return {.on_all = [this](const std::string& /*prefix*/, std::vector<etcd::KeyValue> all,
                           int64_t /*revision*/) { take_all(std::move(all)); },
          .on_events = [this](const std::vector<etcd::Event>& events) { take_events(events); },
          .on_state = {},
          .on_refused = {}};
}

/// And tells the store what it lacks: it may have been away, or this process.
void FleetLogouts::take_all(std::vector<etcd::KeyValue> all) {
  if (gateway_ == nullptr) {
    return;
  }
  Entries entries;
  std::set<std::string> names;
  for (const etcd::KeyValue& each : all) {
    if (read(each, entries)) {
      names.insert(each.key.substr(prefix_.size()));
    }
  }
  gateway_->end_sessions(entries);
  std::erase_if(waiting_, [&names](const auto& each) { return names.contains(each.first); });
  Entries lacking;
  for (const LogoutEntry& each : gateway_->ended_sessions()) {
    if (!names.contains(fleet::logout_name(each))) {
      lacking.push_back(each);
    }
  }
  tell(lacking);
}

void FleetLogouts::take_events(const std::vector<etcd::Event>& events) {
  Entries entries;
  for (const etcd::Event& each : events) {
    if (!each.removed) {
      read(each.now, entries);
    }
  }
  if (gateway_ != nullptr && !entries.empty()) {
    gateway_->end_sessions(entries);
  }
}

bool FleetLogouts::read(const etcd::KeyValue& key, Entries& out) {
  const auto entry =
      fleet::read_logout(std::string_view(key.key).substr(prefix_.size()), key.value);
  if (entry) {
    out.push_back(identity::bounded(*entry, unix_seconds(wall_now())));
  } else if (!std::exchange(unreadable_told_, true)) {
    log::warning("event=fleet_logout_unreadable key={}", key.key);
  }
  return entry.has_value();
}

}  // namespace hangu::control
