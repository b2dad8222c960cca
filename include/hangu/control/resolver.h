// Resolver: turns a DNS name into addresses and the time they hold, A and AAAA, /etc/hosts
// included; or into the SRV records of a service. Control thread; asynchronous on its io_context.
// It caches nothing and retries nothing beyond what the servers' timeouts allow: EndpointRefresher
// does. The io_context must not run any more when a Resolver is destroyed.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "hangu/base/clock.h"

namespace boost::asio {
class io_context;
}

namespace hangu::control {

struct DnsAnswer {
  std::vector<std::string> addresses;  // numeric, in a stable order
  Duration ttl{0};                     // the least of all records that took part
  std::string error;                   // why there are no addresses; empty otherwise
};

struct SrvRecord {
  std::string target;  // lower case, without a dot at its end
  uint16_t port = 0;
  uint16_t priority = 0;
  uint16_t weight = 0;
  auto operator<=>(const SrvRecord&) const = default;
};

struct SrvAnswer {
  std::vector<SrvRecord> records;  // none: the name has none, or says that there is no service
  Duration ttl{0};                 // the least of them
  std::string error;               // why there is no answer
};

class Resolver {
 public:
  using Done = std::function<void(DnsAnswer)>;
  using SrvDone = std::function<void(SrvAnswer)>;

  virtual ~Resolver() = default;

  /// `done` is called once, perhaps before resolve() returns; never after destruction.
  virtual void resolve(const std::string& name, Done done) = 0;

  /// The same for SRV records; /etc/hosts has none.
  virtual void resolve_srv(const std::string& name, SrvDone done) = 0;

  /// Reads the system's resolver configuration anew before the next query that finds none under
  /// way.
  virtual void reload_system_config() = 0;
};

struct ResolverOptions {
  std::string servers;  // "127.0.0.1:5353,[::1]:53"; empty: as in /etc/resolv.conf
  Duration query_timeout = std::chrono::seconds(1);
  int tries = 2;
};

/// Makes a Resolver that asks these servers, as in ResolverOptions.
using ResolverFactory = std::function<std::unique_ptr<Resolver>(const std::string& servers)>;

/// A Resolver over c-ares.
std::unique_ptr<Resolver> make_resolver(boost::asio::io_context& context, ResolverOptions options);

/// Drops the addresses this machine has no way to (no IPv6 route, for one), unless none would be
/// left. Asks the routing table only; sends nothing.
std::vector<std::string> keep_reachable(std::vector<std::string> addresses);

}  // namespace hangu::control
