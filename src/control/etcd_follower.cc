#include "control/etcd_follower.h"

#include <algorithm>
#include <chrono>
#include <random>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "hangu/base/log.h"
#include "hangu/control/process.h"

namespace hangu::control {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kRetryMin = milliseconds(200);
constexpr Duration kRetryMax = seconds(5);
constexpr Duration kProbeInterval = seconds(5);  // whether the watch misses anything
constexpr Duration kForever = std::chrono::hours(24);

}  // namespace

class EtcdFollower::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(asio::io_context& context, std::shared_ptr<etcd::Client> client, std::string name,
       Hooks hooks)
      : context_(context),
        client_(std::move(client)),
        name_(std::move(name)),
        hooks_(std::move(hooks)),
        retry_timer_(context),
        probe_timer_(context),
        random_(std::random_device{}()) {}

  // The coroutines hold the object; nothing goes on after stop().
  void start() {
    asio::co_spawn(context_, run(), asio::detached);
    asio::co_spawn(context_, probe(), asio::detached);
  }

  void stop() {
    stopped_ = true;
    retry_timer_.cancel();
    probe_timer_.cancel();
    client_->break_watches();
  }

  void follow(std::vector<std::string> prefixes) {
    std::sort(prefixes.begin(), prefixes.end());
    std::vector<Range> next;
    bool more = false;
    for (std::string& prefix : prefixes) {
      if (!next.empty() && prefix.starts_with(next.back().prefix)) {
        continue;  // it is told of with that one
      }
      Range* const known = find(prefix);
      next.push_back(known != nullptr ? std::move(*known) : Range{.prefix = std::move(prefix)});
      more = more || known == nullptr;
    }
    ranges_ = std::move(next);
    if (more) {
      watch_again();
    }
  }

  void begin_anew(const std::string& reason) {
    log::warning("{}_resync reason=\"{}\"", name_, reason);
    forget();
    client_->break_watches();
  }

  const State& state() const { return state_; }

 private:
  struct Range {
    std::string prefix;
    int64_t seen = 0;  // what is up to this revision has been told; 0: nothing is known
    bool refused = false;
  };

  Range* find(const std::string& prefix) {
    const auto found = std::find_if(ranges_.begin(), ranges_.end(),
                                    [&](const Range& each) { return each.prefix == prefix; });
    return found == ranges_.end() ? nullptr : &*found;
  }

  Range* range_of(const std::string& key) {
    const auto found = std::find_if(ranges_.begin(), ranges_.end(), [&](const Range& each) {
      return key.starts_with(each.prefix);
    });
    return found == ranges_.end() ? nullptr : &*found;
  }

  int64_t seen() const {
    int64_t newest = 0;
    for (const Range& each : ranges_) {
      newest = std::max(newest, each.seen);
    }
    return newest;
  }

  void forget() {
    for (Range& each : ranges_) {
      each.seen = 0;
    }
  }

  void watch_again() {
    changed_ = true;
    client_->break_watches();
    retry_timer_.cancel();
  }

  asio::awaitable<void> run() {
    const auto self = shared_from_this();
    Duration delay = kRetryMin;
    while (!stopped_) {
      changed_ = false;
      if (!co_await read_missing()) {
        co_await pause(ranges_.empty() ? kForever : delay);
        delay = std::min(delay * 2, kRetryMax);
        continue;
      }
      if (stopped_ || changed_) {
        continue;
      }
      const TimePoint began = monotonic_now();
      const etcd::Error why = co_await client_->watch(
          watched(), [this](etcd::WatchNews news) { take_news(std::move(news)); });
      if (stopped_ || changed_) {
        continue;
      }
      if (why.kind == etcd::Error::Kind::kCompacted) {
        log::info("{}_resync reason=\"{}\"", name_, why.message);
        forget();
        continue;
      }
      if (why.kind != etcd::Error::Kind::kUnreachable && ranges_.size() > 1) {
        forget();  // to find which of them it is about
      }
      lose(why.message);
      delay = monotonic_now() - began > kRetryMax ? kRetryMin : delay;
      co_await pause(delay);
      delay = std::min(delay * 2, kRetryMax);
    }
  }

  std::vector<etcd::WatchRange> watched() const {
    std::vector<etcd::WatchRange> all;
    for (const Range& each : ranges_) {
      if (each.seen != 0) {
        all.push_back({each.prefix, each.seen + 1});
      }
    }
    return all;
  }

  /// Whether there is anything to be watched then.
  asio::awaitable<bool> read_missing() {
    std::vector<std::string> missing;
    for (Range& each : ranges_) {
      each.refused = each.refused && each.seen == 0;
      if (each.seen == 0) {
        missing.push_back(each.prefix);
      }
    }
    for (const std::string& prefix : missing) {
      if (!co_await read_all(prefix)) {
        co_return false;
      }
    }
    co_return seen() != 0;
  }

  /// false: nothing can be read at the moment.
  asio::awaitable<bool> read_all(std::string prefix) {
    etcd::RangeRequest request;
    request.key = prefix;
    request.is_prefix = true;
    auto found = co_await client_->range(std::move(request));
    Range* const range = stopped_ ? nullptr : find(prefix);
    if (range == nullptr) {
      co_return !stopped_;
    }
    if (!found) {
      const bool alone =
          ranges_.size() == 1 || found.error().kind == etcd::Error::Kind::kUnreachable;
      if (alone) {
        lose(found.error().message);
        co_return false;
      }
      range->refused = true;
      if (hooks_.on_refused) {
        hooks_.on_refused(prefix, found.error().message);
      }
      co_return true;
    }
    range->seen = std::max<int64_t>(found->revision, 1);
    range->refused = false;
    state_.revision = found->revision;
    log::info("{}_read endpoint={} prefix={} revision={} keys={}", name_, client_->endpoint(),
              prefix, found->revision, found->keys.size());
    hooks_.on_all(prefix, std::move(found->keys), found->revision);
    co_return true;
  }

  void take_news(etcd::WatchNews news) {
    if (stopped_ || changed_) {
      return;
    }
    if (news.events.empty() && news.revision < seen()) {
      begin_anew("the store is not the one of before");
      return;
    }
    if (!state_.connected) {
      state_.connected = true;
      state_.error.clear();
      log::info("{}_connected endpoint={} revision={}", name_, client_->endpoint(), seen());
      tell_state();
    }
    std::erase_if(news.events, [this](const etcd::Event& each) {
      Range* const range = range_of(each.now.key);
      if (range != nullptr) {
        range->seen = std::max(range->seen, each.now.mod_revision);
        state_.revision = std::max(state_.revision, each.now.mod_revision);
      }
      return range == nullptr;
    });
    if (!news.events.empty()) {
      hooks_.on_events(std::move(news.events));
    }
  }

  void lose(const std::string& reason) {
    if (state_.connected || state_.error != reason) {
      log::warning("{}_lost error=\"{}\"", name_, reason);
    }
    state_.connected = false;
    state_.error = reason;
    tell_state();
  }

  void tell_state() {
    if (hooks_.on_state) {
      hooks_.on_state();
    }
  }

  asio::awaitable<void> pause(Duration delay) {
    std::uniform_real_distribution<double> jitter(0.75, 1.25);
    co_await wait_for(retry_timer_, std::chrono::duration_cast<Duration>(delay * jitter(random_)));
  }

  static asio::awaitable<void> wait_for(asio::steady_timer& timer, Duration delay) {
    timer.expires_after(delay);
    error_code ignored;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }

  /// A watch whose member has gone astray says nothing at all: what the newest key is tells. One
  /// prefix after the other is asked for.
  asio::awaitable<void> probe() {
    const auto self = shared_from_this();
    int64_t missed = 0;
    bool was_silent = false;
    size_t turn = 0;
    while (!stopped_) {
      co_await wait_for(probe_timer_, kProbeInterval);
      if (stopped_ || !state_.connected || ranges_.empty()) {
        continue;
      }
      turn = missed != 0 ? turn : turn + 1;
      const std::string prefix = ranges_[turn % ranges_.size()].prefix;
      const std::string asked = client_->endpoint();
      const int64_t seen_before = seen();
      auto found = co_await client_->range(newest_below(prefix));
      Range* const range = stopped_ ? nullptr : find(prefix);
      if (range == nullptr) {
        missed = 0;
        continue;
      }
      if (range->refused) {
        if (found) {
          watch_again();
        }
        continue;
      }
      const bool silent = !found && found.error().kind == etcd::Error::Kind::kUnreachable;
      const int64_t newest = found && !found->keys.empty() ? found->keys[0].mod_revision : 0;
      const bool astray = missed > range->seen;  // for a whole interval
      missed = newest > range->seen ? newest : 0;
      if (found && found->revision < seen_before) {
        begin_anew("the store is not the one of before");
      } else if (astray) {
        begin_anew("the watch has missed something");
      } else if ((silent && was_silent) || client_->endpoint() != asked) {
        client_->break_watches();
      }
      was_silent = silent;
    }
  }

  static etcd::RangeRequest newest_below(const std::string& prefix) {
    etcd::RangeRequest request;
    request.key = prefix;
    request.is_prefix = true;
    request.keys_only = true;
    request.newest_first = true;
    request.limit = 1;
    return request;
  }

  asio::io_context& context_;
  std::shared_ptr<etcd::Client> client_;
  const std::string name_;
  Hooks hooks_;
  asio::steady_timer retry_timer_;
  asio::steady_timer probe_timer_;
  std::minstd_rand random_;
  std::vector<Range> ranges_;  // sorted; none below another
  State state_;
  bool changed_ = false;  // the watch is not of all `ranges_`
  bool stopped_ = false;
};

EtcdFollower::EtcdFollower(asio::io_context& context, std::shared_ptr<etcd::Client> client,
                           std::string name, Hooks hooks)
    : impl_(std::make_shared<Impl>(context, std::move(client), std::move(name), std::move(hooks))) {
}

EtcdFollower::~EtcdFollower() {
  impl_->stop();
}

void EtcdFollower::start() {
  impl_->start();
}

void EtcdFollower::stop() {
  impl_->stop();
}

void EtcdFollower::follow(std::vector<std::string> prefixes) {
  impl_->follow(std::move(prefixes));
}

void EtcdFollower::begin_anew(const std::string& reason) {
  impl_->begin_anew(reason);
}

const EtcdFollower::State& EtcdFollower::state() const {
  return impl_->state();
}

}  // namespace hangu::control
