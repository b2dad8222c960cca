// HealthChecker: asks the endpoints of upstreams with a `health_check` whether they are well, once
// for the whole node, and writes what comes of it where all shards read it
// (policy::EndpointHealth). Control thread. It chooses no endpoint and judges no request.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "hangu/config/config.h"
#include "hangu/policy/check_streak.h"
#include "hangu/server/gateway.h"

namespace boost::asio {
class io_context;
}

namespace hangu::control {

struct ProbeMemory;

struct CheckResult {
  WallTime at;
  Duration took{};
  bool good = false;
  std::string reason;
};

struct EndpointChecks {
  std::string upstream;
  std::string address;
  std::vector<CheckResult> results;  // the latest first
};

class HealthChecker {
 public:
  explicit HealthChecker(boost::asio::io_context& context);
  ~HealthChecker();

  /// From now on asks the endpoints of `gateway` as `config` says, and no others. Those that go on
  /// keep what is known of them. `gateway` stays until stop().
  void apply(std::shared_ptr<const config::Config> config, server::Gateway& gateway);
  void stop();

  /// Looks for upstreams that get requests again, whose endpoints are asked more often then. To be
  /// called from time to time.
  void wake();

  /// Calls `done` when every endpoint has had its first answer, or after `at_most`; perhaps at
  /// once.
  void when_known(Duration at_most, std::function<void()> done);

  std::vector<EndpointChecks> status() const;

  /// Of an endpoint, that are kept.
  static constexpr size_t kResultsMax = 10;

 private:
  struct Entry;
  struct Waiter;

  void add(const config::Upstream& upstream, const server::EndpointHandle& handle);
  Entry* find(uint64_t id);
  void schedule(Entry& entry, Duration wait);
  void ask(uint64_t id);
  void take(Entry& entry, CheckResult result);
  void tell(Entry& entry, const CheckResult& result);
  bool idle(Entry& entry);
  void finish_waiter();

  boost::asio::io_context& context_;
  std::shared_ptr<ProbeMemory> memory_;
  std::shared_ptr<const config::Config> config_;
  server::Gateway* gateway_ = nullptr;
  std::vector<std::unique_ptr<Entry>> entries_;
  std::unique_ptr<Waiter> waiter_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // probes may outlive this object
  std::minstd_rand random_;
  uint64_t next_id_ = 1;
  size_t asking_ = 0;
};

}  // namespace hangu::control
