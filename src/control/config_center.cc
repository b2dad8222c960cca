#include "hangu/control/config_center.h"

#include <algorithm>
#include <deque>
#include <map>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "hangu/base/log.h"
#include "hangu/control/loader.h"
#include "hangu/control/process.h"
#include "hangu/etcd/client.h"

#include "control/etcd_follower.h"
#include "control/etcd_options.h"

namespace hangu::control {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using std::chrono::milliseconds;
using std::chrono::seconds;

// What comes within it is one change.
constexpr Duration kBatchDelay = milliseconds(5);
constexpr Duration kApplyAgain = milliseconds(20);  // another reload is under way
constexpr Duration kCacheDelay = seconds(1);
constexpr int kCacheRest = 20;  // times what the last cache took: it is all documents each time
constexpr Duration kSettleTime = seconds(60);  // of a store that was lost and is filled again

/// What the store has said and nobody has looked at yet.
struct Batch {
  bool whole = false;  // there is nothing else in the store
  std::map<std::string, std::optional<std::string>> documents;
  int64_t revision = 0;
  TimePoint began;  // of the first of it

  bool again = false;  // what was told before is to be looked at again

  bool empty() const { return !whole && documents.empty() && !again; }
};

using Documents = std::shared_ptr<std::vector<config::Document>>;

}  // namespace

etcd::Options client_options(const config::ConfigCenter& center) {
  return etcd_options(center);
}

class ConfigCenter::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(asio::io_context& context, const config::Config& config,
       std::shared_ptr<ConfigSource> source, const stats::Registry& registry, Hooks hooks)
      : client_(std::make_shared<etcd::Client>(client_options(config.config_center))),
        follower_(context, client_, "config_center", follower_hooks()),
        source_(std::move(source)),
        hooks_(std::move(hooks)),
        prefix_(documents_prefix(config.config_center)),
        batch_timer_(context),
        cache_timer_(context),
        settle_timer_(context) {
    status_.enabled = true;
    status_.from_cache = source_->started_from_cache();
    status_.documents = source_->report();
    known_ = status_.from_cache;
    if (config.config_center.member) {
      member_ = std::make_unique<FleetMember>(
          context, config, registry,
          FleetMember::Hooks{
              .in_force =
                  [this] {
                    return FleetMember::InForce{status_.applied, status_.documents.rollout};
                  },
              .on_driven = hooks_.on_driven,
              .releases = hooks_.releases,
              .book = hooks_.release_book,
              .keys = hooks_.keys,
              .certificates = hooks_.certificates});
    }
  }

  void start() {
    follower_.follow({prefix_});
    follower_.start();
    if (member_ != nullptr) {
      member_->start();
    }
  }

  void leave_fleet() {
    if (member_ != nullptr) {
      member_->leave();
    }
  }

  void stop() {
    stopped_ = true;
    leave_fleet();
    waiters_.clear();
    for (asio::steady_timer* timer : {&batch_timer_, &cache_timer_, &settle_timer_}) {
      timer->cancel();
    }
    follower_.stop();
    hooks_.loader->run([source = source_] { source->save_cache(); });
  }

  void when_known(std::function<void()> done) {
    if (known_) {
      done();
    } else {
      waiters_.push_back(std::move(done));
    }
  }

  bool known() const { return known_; }

  bool joined() const { return member_ != nullptr && member_->status().joined; }

  ConfigCenterStatus status() const {
    ConfigCenterStatus status = status_;
    status.endpoint = client_->endpoint();
    status.connected = follower_.state().connected;
    status.error = follower_.state().error;
    status.revision = follower_.state().revision;
    if (member_ != nullptr) {
      status.fleet = member_->status();
    }
    return status;
  }

 private:
  EtcdFollower::Hooks follower_hooks() {
    return {
        .on_all = [this](const std::string& /*prefix*/, std::vector<etcd::KeyValue> all,
                         int64_t revision) { take_all(std::move(all), revision); },
        .on_events = [this](std::vector<etcd::Event> events) { take_events(std::move(events)); },
        .on_state = {},
        .on_refused = {}};
  }

  void take_all(std::vector<etcd::KeyValue> all, int64_t revision) {
    batch_ = Batch{.whole = true, .documents = {}, .revision = revision, .began = monotonic_now()};
    for (etcd::KeyValue& each : all) {
      batch_.documents[each.key.substr(prefix_.size())] = std::move(each.value);
    }
    flush();
  }

  void take_events(std::vector<etcd::Event> events) {
    for (etcd::Event& each : events) {
      if (batch_.empty()) {
        batch_.began = monotonic_now();
      }
      std::optional<std::string> text;
      if (!each.removed) {
        text = std::move(each.now.value);
      }
      batch_.documents[each.now.key.substr(prefix_.size())] = std::move(text);
      batch_.revision = std::max(batch_.revision, each.now.mod_revision);
    }
    flush_soon(kBatchDelay);
  }

  void flush_soon(Duration delay) {
    if (flush_waits_) {
      return;
    }
    flush_waits_ = true;
    batch_timer_.expires_after(delay);
    batch_timer_.async_wait([self = shared_from_this()](error_code error) {
      self->flush_waits_ = false;
      if (!error) {
        self->flush();
      }
    });
  }

  /// Has the batch looked at, unless another one is on its way.
  void flush() {
    if (applying_ || stopped_ || batch_.empty()) {
      return;
    }
    applying_ = true;
    auto batch = std::make_shared<Batch>(std::exchange(batch_, Batch{}));
    auto take = [source = source_, batch] {
      std::vector<fleet::StoredDocument> documents;
      documents.reserve(batch->documents.size());
      for (auto& [key, text] : batch->documents) {
        documents.push_back({key, std::move(text)});
      }
      auto changed = std::make_shared<std::vector<config::Document>>(
          source->take(std::move(documents), batch->whole));
      return std::make_pair(std::move(changed), source->report());
    };
    hooks_.loader->run(std::move(take), [self = shared_from_this(), batch](auto taken) {
      auto& [changed, report] = taken;
      if (changed->empty()) {
        self->finish(*batch, std::move(report));
      } else {
        self->apply(batch, changed);
      }
    });
  }

  void apply(const std::shared_ptr<Batch>& batch, const Documents& documents) {
    if (stopped_) {
      return;
    }
    auto report = std::make_shared<ConfigSource::Report>();
    auto load = [source = source_, documents, report] {
      config::LoadResult loaded = source->change(*documents);
      *report = source->report();
      return loaded;
    };
    hooks_.apply(std::move(load), fmt::format("config_center revision={}", batch->revision),
                 [self = shared_from_this(), batch, documents, report](const Applied& applied) {
                   if (!applied.tried) {
                     self->apply_later(batch, documents);
                   } else if (applied.refused.empty()) {
                     self->apply_rest(batch, std::move(*report));
                   } else {
                     self->revert(batch, documents, applied.refused);
                   }
                 });
  }

  void apply_later(const std::shared_ptr<Batch>& batch, const Documents& documents) {
    batch_timer_.expires_after(kApplyAgain);
    batch_timer_.async_wait([self = shared_from_this(), batch, documents](error_code /*error*/) {
      self->flush_waits_ = false;
      self->apply(batch, documents);
    });
  }

  /// The gateway refuses a config as a whole: halves tell which document it is about.
  void revert(const std::shared_ptr<Batch>& batch, const Documents& documents,
              const std::string& reason) {
    if (documents->size() > 1) {
      const auto middle = documents->begin() + static_cast<ptrdiff_t>(documents->size() / 2);
      parts_.push_front(std::make_shared<std::vector<config::Document>>(middle, documents->end()));
      parts_.push_front(
          std::make_shared<std::vector<config::Document>>(documents->begin(), middle));
    }
    hooks_.loader->run(
        [source = source_, reason] {
          source->revert(reason);
          return source->report();
        },
        [self = shared_from_this(), batch](ConfigSource::Report report) {
          self->apply_rest(batch, std::move(report));
        });
  }

  void apply_rest(const std::shared_ptr<Batch>& batch, ConfigSource::Report report) {
    if (parts_.empty()) {
      finish(*batch, std::move(report));
      return;
    }
    const Documents next = std::move(parts_.front());
    parts_.pop_front();
    apply(batch, next);
  }

  void finish(const Batch& batch, ConfigSource::Report report) {
    applying_ = false;
    if (stopped_) {
      return;
    }
    status_.last_change = monotonic_now() - batch.began;
    status_.applied = std::max(status_.applied, batch.revision);
    status_.from_cache = false;
    tell_refusals(report);
    if (report.lost_store && !status_.documents.lost_store) {
      log::error(
          "config_center_lost_documents hint=\"the store has none any more; those in force "
          "stay; config_center.confirm_empty takes it at its word\"");
    }
    if (status_.documents.lost_store && !report.lost_store) {
      read_again_later();
    }
    if (report.rollout.in_force && !report.rollout.refusal.empty()) {
      batch_.again = true;  // all or nothing of it
      batch_.revision = std::max(batch_.revision, batch.revision);
      batch_.began = monotonic_now();
    }
    const bool nothing = report.documents == 0 && !report.refused.empty();
    status_.documents = std::move(report);
    if (member_ != nullptr) {
      member_->note();
    }
    save_cache_soon();
    if (!nothing) {
      become_known();
    }
    if (!batch_.empty()) {
      flush_soon(kBatchDelay);
    }
  }

  /// A store that was lost is filled again, one push after the other: what it lacks at the end is
  /// gone indeed.
  void read_again_later() {
    settle_timer_.expires_after(kSettleTime);
    settle_timer_.async_wait([self = shared_from_this()](error_code error) {
      if (!error && !self->stopped_) {
        self->follower_.begin_anew("the store has documents again");
      }
    });
  }

  void tell_refusals(const ConfigSource::Report& report) {
    std::map<std::string, std::string> refused;
    for (const config::Refusal& each : report.refused) {
      refused[each.key] = each.reason;
      const auto told = told_.find(each.key);
      if (told == told_.end() || told->second != each.reason) {
        log::error("config_document_refused key={} error=\"{}\"", each.key, each.reason);
        hooks_.on_refused(each);
      }
    }
    told_ = std::move(refused);
  }

  void become_known() {
    known_ = true;
    for (const std::function<void()>& done : std::exchange(waiters_, {})) {
      done();
    }
  }

  void save_cache_soon() {
    if (cache_waits_) {
      return;
    }
    cache_waits_ = true;
    cache_timer_.expires_after(std::max(kCacheDelay, kCacheRest * cache_took_));
    cache_timer_.async_wait([self = shared_from_this()](error_code error) {
      self->cache_waits_ = false;
      if (!error) {
        self->save_cache();
      }
    });
  }

  void save_cache() {
    hooks_.loader->run(
        [source = source_] {
          const TimePoint began = monotonic_now();
          source->save_cache();
          return std::chrono::duration_cast<Duration>(monotonic_now() - began);
        },
        [self = shared_from_this()](Duration took) { self->cache_took_ = took; });
  }

  std::shared_ptr<etcd::Client> client_;
  EtcdFollower follower_;
  std::shared_ptr<ConfigSource> source_;
  Hooks hooks_;
  std::string prefix_;
  asio::steady_timer batch_timer_;
  asio::steady_timer cache_timer_;
  asio::steady_timer settle_timer_;
  std::unique_ptr<FleetMember> member_;  // nullptr: none
  ConfigCenterStatus status_;
  Batch batch_;
  std::deque<Documents> parts_;  // of the batch that is on its way, to be tried one by one
  std::map<std::string, std::string> told_;  // refusals, by key
  std::vector<std::function<void()>> waiters_;
  bool known_ = false;
  bool applying_ = false;
  bool flush_waits_ = false;
  bool cache_waits_ = false;
  Duration cache_took_{};  // the last time
  bool stopped_ = false;
};

ConfigCenter::ConfigCenter(asio::io_context& context, const config::Config& config,
                           std::shared_ptr<ConfigSource> source, const stats::Registry& registry,
                           Hooks hooks)
    : impl_(
          std::make_shared<Impl>(context, config, std::move(source), registry, std::move(hooks))) {}

ConfigCenter::~ConfigCenter() {
  impl_->stop();
}

void ConfigCenter::start() {
  impl_->start();
}

void ConfigCenter::when_known(std::function<void()> done) {
  impl_->when_known(std::move(done));
}

bool ConfigCenter::known() const {
  return impl_->known();
}

void ConfigCenter::leave_fleet() {
  impl_->leave_fleet();
}

bool ConfigCenter::joined() const {
  return impl_->joined();
}

ConfigCenterStatus ConfigCenter::status() const {
  return impl_->status();
}

}  // namespace hangu::control
