#include "hangu/control/health_checker.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "hangu/base/log.h"
#include "hangu/control/process.h"
#include "hangu/stats/registry.h"

#include "control/check_probe.h"

namespace hangu::control {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Check = policy::EndpointHealth::Check;
using Order = policy::EndpointHealth::Order;

// Probes at once; more wait a little.
constexpr size_t kAskingMax = 256;
constexpr Duration kBusyWait = std::chrono::milliseconds(10);

int64_t now_ns() {
  return monotonic_now().time_since_epoch().count();
}

uint64_t requests_of(server::Gateway& gateway, const std::string& upstream) {
  uint64_t sum = 0;
  for (const stats::UpstreamSlot& slot : gateway.registry().upstream(upstream)->slots()) {
    sum += slot.requests.value();
  }
  return sum;
}

}  // namespace

struct HealthChecker::Entry {
  Entry(asio::io_context& context, const config::Upstream& of, server::EndpointHandle endpoint)
      : upstream(&of),
        name(of.name),
        handle(std::move(endpoint)),
        timer(context) {}

  uint64_t id = 0;
  const config::Upstream* upstream;  // in config_
  std::string name;                  // of the upstream
  server::EndpointHandle handle;
  asio::steady_timer timer;
  policy::CheckStreak streak;
  std::deque<CheckResult> results;  // the latest first
  uint64_t requests = 0;            // of the upstream, when it was asked last
  TimePoint due_with_traffic{};     // while it waits longer because there is none
  bool resting = false;             // does
  bool asking = false;
};

struct HealthChecker::Waiter {
  explicit Waiter(asio::io_context& context)
      : timer(context) {}

  asio::steady_timer timer;
  std::function<void()> done;
};

HealthChecker::HealthChecker(asio::io_context& context)
    : context_(context),
      memory_(std::make_shared<ProbeMemory>()),
      random_(std::random_device{}()) {}

HealthChecker::~HealthChecker() {
  *alive_ = false;
}

void HealthChecker::apply(std::shared_ptr<const config::Config> config, server::Gateway& gateway) {
  const auto before = std::exchange(config_, std::move(config));
  gateway_ = &gateway;
  std::vector<std::unique_ptr<Entry>> entries = std::exchange(entries_, {});
  std::unordered_multimap<const policy::EndpointHealth*, std::unique_ptr<Entry>> old;
  for (std::unique_ptr<Entry>& entry : entries) {
    const policy::EndpointHealth* const health = entry->handle.health.get();
    old.emplace(health, std::move(entry));
  }
  for (const config::Upstream& upstream : config_->upstreams) {
    const config::HealthCheck& check = upstream.health_check;
    if (!check.enabled || check.mode == config::Mode::kOff) {
      continue;
    }
    for (const server::EndpointHandle& handle : gateway.endpoints(upstream.name)) {
      auto kept = old.extract(handle.health.get());
      if (kept.empty()) {
        add(upstream, handle);
        continue;
      }
      Entry& entry = *kept.mapped();
      entry.upstream = &upstream;
      entry.handle = handle;
      handle.health->set_check(
          check.mode == config::Mode::kEnforce ? entry.streak.state() : Check::kNone, now_ns());
      entries_.push_back(std::move(kept.mapped()));
    }
  }
  for (const auto& [health, gone] : old) {
    gone->handle.health->set_check(Check::kNone, now_ns());
  }
}

void HealthChecker::stop() {
  entries_.clear();
  waiter_.reset();
  gateway_ = nullptr;
}

void HealthChecker::add(const config::Upstream& upstream, const server::EndpointHandle& handle) {
  entries_.push_back(std::make_unique<Entry>(context_, upstream, handle));
  Entry& entry = *entries_.back();
  entry.id = next_id_++;
  schedule(entry, Duration::zero());
}

HealthChecker::Entry* HealthChecker::find(uint64_t id) {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [id](const auto& entry) { return entry->id == id; });
  return found == entries_.end() ? nullptr : found->get();
}

void HealthChecker::schedule(Entry& entry, Duration wait) {
  entry.timer.expires_after(wait);
  entry.timer.async_wait([this, id = entry.id](error_code error) {
    if (!error) {
      ask(id);
    }
  });
}

void HealthChecker::ask(uint64_t id) {
  Entry* const entry = find(id);
  if (entry == nullptr || entry->asking) {
    return;
  }
  const config::Upstream& upstream = *entry->upstream;
  const config::HealthCheck& check = upstream.health_check;
  if (entry->handle.health->order() == Order::kMaintenance) {
    schedule(*entry, check.interval);
    return;
  }
  if (asking_ >= kAskingMax) {
    schedule(*entry, kBusyWait);
    return;
  }
  auto address = net::Address::parse(entry->handle.endpoint.address);
  if (address && check.port != 0 && !address->is_unix()) {
    address = net::Address::from_ip(address->ip_bytes(), static_cast<uint16_t>(check.port));
  }
  if (!address) {
    return;
  }
  entry->asking = true;
  ++asking_;
  ProbeTarget target{.address = *address,
                     .host = entry->handle.endpoint.host,
                     .check = check,
                     .protocol = upstream.protocol,
                     .server_name = upstream.tls.server_name,
                     .tls = gateway_->client_tls(upstream.name)};
  check_probe(context_, memory_, std::move(target),
              [this, id, alive = alive_, began = monotonic_now()](CheckVerdict verdict) {
                if (!*alive) {
                  return;
                }
                --asking_;
                if (Entry* const asked = find(id)) {
                  asked->asking = false;
                  take(*asked, {.at = wall_now(),
                                .took = monotonic_now() - began,
                                .good = verdict.good,
                                .reason = std::move(verdict.reason)});
                }
              });
}

void HealthChecker::take(Entry& entry, CheckResult result) {
  const config::HealthCheck& check = entry.upstream->health_check;
  stats::UpstreamStats& stats = *gateway_->registry().upstream(entry.name);
  (result.good ? stats.checks_good : stats.checks_bad).add();
  tell(entry, result);
  entry.results.push_front(std::move(result));
  if (entry.results.size() > kResultsMax) {
    entry.results.pop_back();
  }
  entry.resting = idle(entry);
  entry.due_with_traffic = monotonic_now() + check.interval;
  const Duration interval = entry.resting ? check.no_traffic_interval : check.interval;
  std::uniform_int_distribution<Duration::rep> jitter(
      0, interval.count() / 100 * static_cast<Duration::rep>(check.jitter_percent));
  schedule(entry, interval + Duration(jitter(random_)));
  finish_waiter();
}

/// What it means for requests.
void HealthChecker::tell(Entry& entry, const CheckResult& result) {
  const config::HealthCheck& check = entry.upstream->health_check;
  const Check before = entry.streak.state();
  const Check after = entry.streak.add(check, result.good);
  const bool enforced = check.mode == config::Mode::kEnforce;
  policy::EndpointHealth& health = *entry.handle.health;
  const std::string& address = entry.handle.endpoint.address;
  if (enforced) {
    health.set_check(after, now_ns());
    if (result.good && after == Check::kGood && check.ends_ejection &&
        health.end_ejection(now_ns())) {
      log::info("event=ejection_ended upstream={} endpoint={} cause=health_check", entry.name,
                address);
    }
  }
  if (before == after || (before == Check::kNone && after == Check::kGood)) {
    return;
  }
  const bool bad = after == Check::kBad;
  log::write(bad ? log::Level::kWarning : log::Level::kInfo,
             fmt::format("event=endpoint_{}{} upstream={} endpoint={} reason=\"{}\"",
                         bad ? "unhealthy" : "healthy", enforced ? "" : "_shadow", entry.name,
                         address, result.reason));
}

/// Whether nobody uses the upstream, and nothing is about to change.
bool HealthChecker::idle(Entry& entry) {
  const uint64_t requests = requests_of(*gateway_, entry.name);
  const bool unused = std::exchange(entry.requests, requests) == requests;
  return unused && entry.streak.settled();
}

void HealthChecker::wake() {
  for (const auto& entry : entries_) {
    if (entry->resting && requests_of(*gateway_, entry->name) != entry->requests) {
      entry->resting = false;
      schedule(*entry, std::max(entry->due_with_traffic - monotonic_now(), Duration::zero()));
    }
  }
}

void HealthChecker::when_known(Duration at_most, std::function<void()> done) {
  waiter_ = std::make_unique<Waiter>(context_);
  waiter_->done = std::move(done);
  waiter_->timer.expires_after(at_most);
  waiter_->timer.async_wait([this](error_code error) {
    if (!error && waiter_ != nullptr) {
      const auto waiter = std::exchange(waiter_, nullptr);
      waiter->done();
    }
  });
  finish_waiter();
}

void HealthChecker::finish_waiter() {
  const bool known = std::none_of(entries_.begin(), entries_.end(), [](const auto& entry) {
    return entry->results.empty() && entry->handle.health->order() != Order::kMaintenance;
  });
  if (known && waiter_ != nullptr) {
    const auto waiter = std::exchange(waiter_, nullptr);
    waiter->done();
  }
}

std::vector<EndpointChecks> HealthChecker::status() const {
  std::vector<EndpointChecks> all;
  for (const auto& entry : entries_) {
    all.push_back({.upstream = entry->name,
                   .address = entry->handle.endpoint.address,
                   .results = {entry->results.begin(), entry->results.end()}});
  }
  return all;
}

}  // namespace hangu::control
