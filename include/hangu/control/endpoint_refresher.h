// EndpointRefresher: keeps the endpoints of upstreams up to date that are named by DNS or have
// `discovery`. Control thread. Each name is asked anew when its TTL (held within the upstream's
// bounds, with jitter) ends; a failed or empty answer keeps the last good addresses and is logged
// once. What changed goes to the sink, with the upstream's numeric endpoints in their places.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hangu/config/config.h"
#include "hangu/control/discovery_status.h"
#include "hangu/control/resolver.h"
#include "hangu/server/gateway.h"

namespace hangu::control {

class Discovery;
class Loader;
class Resolvers;

struct NameStatus {
  std::string upstream;
  std::string name;
  std::vector<std::string> addresses;  // the last good ones
  std::string error;                   // of the last answer; empty when it was good
  uint64_t answers = 0;                // good and bad
};

class EndpointRefresher {
 public:
  using Sink = std::function<void(std::string_view upstream,
                                  std::vector<server::ResolvedEndpoint> endpoints)>;

  /// A resolver is made when the first name for it turns up. `loader`: does what takes
  /// time, and outlives it; nullptr: that is done at once.
  EndpointRefresher(boost::asio::io_context& context, ResolverFactory make_resolver, Sink sink,
                    Loader* loader = nullptr);
  ~EndpointRefresher();

  /// Looks for the instances and names of `config` that are not known yet; calls `done` when all
  /// have been answered or after `at_most`. At once, when there are none.
  void prepare(std::shared_ptr<const config::Config> config, Duration at_most,
               std::function<void()> done);

  /// From now on keeps the names of `config` fresh, and no others; hands all that is known to the
  /// sink.
  void apply(std::shared_ptr<const config::Config> config);

  std::vector<NameStatus> status() const;
  std::vector<DiscoveryStatus> discoveries() const;

 private:
  /// What the gateway was told last.
  struct Published {
    std::string name;  // of the upstream
    std::vector<server::ResolvedEndpoint> endpoints;
  };

  struct Entry;
  struct Waiter;

  Entry* find(std::string_view upstream, std::string_view name);
  void forget(const std::function<bool(const Entry&)>& unwanted);
  Entry* find(uint64_t id);
  bool is_wanted(const Entry& entry) const;
  void add_missing(const config::Config& config, std::string_view of = {});
  void query(Entry& entry);
  void on_instances(const std::string& upstream);
  void on_answer(uint64_t entry_id, DnsAnswer answer);
  void schedule(Entry& entry, Duration wait);
  void publish(const config::Upstream& upstream, bool always);
  void finish_waiters();
  void finish_waiter(uint64_t id);

  boost::asio::io_context& context_;
  Sink sink_;
  std::unique_ptr<Resolvers> resolvers_;
  std::unique_ptr<Discovery> discovery_;
  std::shared_ptr<const config::Config> config_;
  std::vector<std::unique_ptr<Entry>> entries_;
  std::map<std::pair<std::string_view, std::string_view>, Entry*> by_name_;  // of all entries_
  std::vector<std::unique_ptr<Waiter>> waiters_;
  std::vector<Published> published_;
  std::minstd_rand random_;
  uint64_t next_id_ = 1;
  bool holds_waiters_ = false;
};

/// Whether the endpoint must be looked up: neither an IP literal nor a Unix socket.
bool needs_resolving(const config::Endpoint& endpoint);

/// "192.0.2.1:80", "[2001:db8::1]:80".
std::string join_host_port(std::string_view host, uint16_t port);

/// The endpoint as the gateway takes it; needs_resolving(endpoint) is false.
server::ResolvedEndpoint numeric_endpoint(const config::Endpoint& endpoint);

}  // namespace hangu::control
