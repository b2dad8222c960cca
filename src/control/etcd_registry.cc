#include "control/etcd_registry.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>

#include "hangu/fleet/instance.h"

#include "control/etcd_follower.h"
#include "control/etcd_options.h"

namespace hangu::control {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

// What comes within it is one change.
constexpr Duration kBatchDelay = std::chrono::milliseconds(10);
// A member may go and the next one be asked without any word of it.
constexpr Duration kLostDelay = std::chrono::seconds(1);

FoundInstances error_of(std::string error) {
  FoundInstances found;
  found.error = std::move(error);
  return found;
}

}  // namespace

class EtcdRegistry::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(asio::io_context& context, etcd::Options options)
      : batch_timer_(context),
        lost_timer_(context),
        follow_timer_(context),
        follower_(context, std::make_shared<etcd::Client>(std::move(options)), "etcd_registry",
                  hooks()) {}

  void stop() {
    stopped_ = true;
    batch_timer_.cancel();
    lost_timer_.cancel();
    follow_timer_.cancel();
    follower_.stop();
  }

  uint64_t add(std::string prefix, InstanceSource::Sink sink) {
    const uint64_t id = next_id_++;
    const bool known = is_known(prefix);
    dirty_.insert(prefix);
    listeners_[id] = {std::move(prefix), std::move(sink)};
    if (known) {
      flush_soon();
    } else if (!lost_.empty()) {
      lose_soon(Duration::zero());
    }
    follow_soon();
    return id;
  }

  void remove(uint64_t id) {
    listeners_.erase(id);
    follow_soon();
  }

 private:
  struct Listener {
    std::string prefix;
    InstanceSource::Sink sink;
  };

  /// Whether what is below it has been read, perhaps with more.
  bool is_known(const std::string& prefix) const {
    return std::any_of(known_.begin(), known_.end(),
                       [&](const std::string& each) { return prefix.starts_with(each); });
  }

  EtcdFollower::Hooks hooks() {
    return {
        .on_all = [this](const std::string& prefix, std::vector<etcd::KeyValue> all,
                         int64_t /*revision*/) { take_all(prefix, std::move(all)); },
        .on_events = [this](std::vector<etcd::Event> events) { take_events(std::move(events)); },
        .on_state = [this] { take_state(); },
        .on_refused =
            [this](const std::string& prefix, const std::string& error) {
              const auto self = shared_from_this();  // the last source may go
              tell(prefix, error_of(error));
            }};
  }

  /// Upstreams come and go many at once.
  void follow_soon() {
    if (follow_waits_ || stopped_) {
      return;
    }
    follow_waits_ = true;
    follow_timer_.expires_after(Duration::zero());
    follow_timer_.async_wait([weak = weak_from_this()](error_code error) {
      if (const auto self = weak.lock(); self != nullptr && !error && !self->stopped_) {
        self->follow();
      }
    });
  }

  void follow() {
    follow_waits_ = false;
    std::set<std::string> prefixes;
    for (const auto& [id, listener] : listeners_) {
      prefixes.insert(listener.prefix);
    }
    std::erase_if(known_, [&](const std::string& each) { return !prefixes.contains(each); });
    std::erase_if(keys_, [&](const auto& each) {
      const auto covers = [&](const std::string& prefix) { return each.first.starts_with(prefix); };
      return std::none_of(prefixes.begin(), prefixes.end(), covers);
    });
    follower_.follow({prefixes.begin(), prefixes.end()});
    if (!std::exchange(started_, true)) {
      follower_.start();
    }
  }

  void take_all(const std::string& prefix, std::vector<etcd::KeyValue> all) {
    for (auto key = keys_.lower_bound(prefix);
         key != keys_.end() && key->first.starts_with(prefix);) {
      key = keys_.erase(key);
    }
    for (etcd::KeyValue& each : all) {
      keys_.insert_or_assign(each.key, fleet::parse_instance(each.value));
    }
    for (const auto& [id, listener] : listeners_) {
      if (listener.prefix.starts_with(prefix)) {
        known_.insert(listener.prefix);
        dirty_.insert(listener.prefix);
      }
    }
    flush_soon();
  }

  void take_events(std::vector<etcd::Event> events) {
    for (etcd::Event& each : events) {
      for (const auto& [id, listener] : listeners_) {
        if (each.now.key.starts_with(listener.prefix)) {
          dirty_.insert(listener.prefix);
        }
      }
      if (each.removed) {
        keys_.erase(each.now.key);
      } else {
        keys_.insert_or_assign(each.now.key, fleet::parse_instance(each.now.value));
      }
    }
    flush_soon();
  }

  void take_state() {
    const EtcdFollower::State& state = follower_.state();
    if (!state.connected) {
      lost_ = state.error;
      lose_soon(known_.empty() ? Duration::zero() : kLostDelay);
      return;
    }
    lost_timer_.cancel();
    if (!std::exchange(lost_, {}).empty()) {
      dirty_.insert(known_.begin(), known_.end());
      flush_soon();
    }
  }

  void lose_soon(Duration delay) {
    if (lost_waits_) {
      return;
    }
    lost_waits_ = true;
    lost_timer_.expires_after(delay);
    lost_timer_.async_wait([weak = weak_from_this()](error_code error) {
      const auto self = weak.lock();
      if (self == nullptr) {
        return;
      }
      self->lost_waits_ = false;
      if (!error && !self->stopped_ && !self->lost_.empty()) {
        self->tell_all(self->lost_);
      }
    });
  }

  void tell_all(const std::string& error) {
    std::set<std::string> prefixes;
    for (const auto& [id, listener] : listeners_) {
      prefixes.insert(listener.prefix);
    }
    for (const std::string& prefix : prefixes) {
      tell(prefix, error_of(error));
    }
  }

  void flush_soon() {
    if (flush_waits_ || stopped_) {
      return;
    }
    flush_waits_ = true;
    batch_timer_.expires_after(kBatchDelay);
    batch_timer_.async_wait([weak = weak_from_this()](error_code error) {
      if (const auto self = weak.lock(); self != nullptr && !error && !self->stopped_) {
        self->flush();
      }
    });
  }

  void flush() {
    flush_waits_ = false;
    for (const std::string& prefix : std::exchange(dirty_, {})) {
      if (is_known(prefix)) {
        tell(prefix, found_below(prefix));
      }
    }
  }

  FoundInstances found_below(const std::string& prefix) const {
    FoundInstances found;
    for (auto key = keys_.lower_bound(prefix); key != keys_.end() && key->first.starts_with(prefix);
         ++key) {
      if (key->second) {
        found.instances.push_back(*key->second);
      } else {
        found.refused.push_back({key->first, key->second.error()});
      }
    }
    return found;
  }

  /// Those that hear of it may change the listeners.
  void tell(const std::string& prefix, const FoundInstances& found) {
    std::vector<uint64_t> ids;
    for (const auto& [id, listener] : listeners_) {
      if (listener.prefix == prefix) {
        ids.push_back(id);
      }
    }
    for (const uint64_t id : ids) {
      if (const auto listener = listeners_.find(id); listener != listeners_.end()) {
        const InstanceSource::Sink sink = listener->second.sink;
        sink(found);
      }
    }
  }

  asio::steady_timer batch_timer_;
  asio::steady_timer lost_timer_;
  asio::steady_timer follow_timer_;
  std::map<uint64_t, Listener> listeners_;
  std::map<std::string, Result<config::Instance, std::string>> keys_;  // below all prefixes
  std::set<std::string> known_;  // prefixes that have been read
  std::set<std::string> dirty_;  // of which there is something to tell
  std::string lost_;             // why there is no watch
  uint64_t next_id_ = 1;
  bool started_ = false;
  bool stopped_ = false;
  bool follow_waits_ = false;
  bool flush_waits_ = false;
  bool lost_waits_ = false;
  EtcdFollower follower_;
};

class EtcdRegistry::Source final : public InstanceSource {
 public:
  Source(std::shared_ptr<EtcdRegistry> registry, std::string prefix, Sink sink)
      : registry_(std::move(registry)),
        prefix_(std::move(prefix)),
        sink_(std::move(sink)) {}

  ~Source() override { registry_->impl_->remove(id_); }

  void start() override { id_ = registry_->impl_->add(prefix_, std::move(sink_)); }

 private:
  std::shared_ptr<EtcdRegistry> registry_;
  std::string prefix_;
  Sink sink_;
  uint64_t id_ = 0;
};

EtcdRegistry::EtcdRegistry(asio::io_context& context, etcd::Options options)
    : impl_(std::make_shared<Impl>(context, std::move(options))) {}

EtcdRegistry::~EtcdRegistry() {
  impl_->stop();
}

std::unique_ptr<InstanceSource> EtcdRegistry::make_source(std::shared_ptr<EtcdRegistry> registry,
                                                          std::string prefix,
                                                          InstanceSource::Sink sink) {
  return std::make_unique<Source>(std::move(registry), std::move(prefix), std::move(sink));
}

etcd::Options registry_options(const config::EtcdRegistry& registry,
                               const config::ConfigCenter& center) {
  return registry.endpoints.empty() ? etcd_options(center) : etcd_options(registry);
}

std::string registry_key(const etcd::Options& options) {
  std::string key;
  for (const std::string& each : options.endpoints) {
    key += each + '\n';
  }
  return fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}", key, options.username, options.password,
                     options.ca, options.server_name, options.certificate, options.key,
                     options.timeout.count());
}

}  // namespace hangu::control
