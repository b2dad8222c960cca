// ConfigCenter: keeps a gateway's documents as those of an etcd: reads them all once, watches what
// becomes of them, and has changes applied in batches. When the watch breaks it goes on from where
// it was, with another member if need be, or reads everything anew when that is gone from the
// store. Control thread; what takes time is done by the loader.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "hangu/base/clock.h"
#include "hangu/config/config.h"
#include "hangu/config/load.h"
#include "hangu/control/config_source.h"
#include "hangu/control/fleet_member.h"
#include "hangu/etcd/client.h"

namespace boost::asio {
class io_context;
}

namespace hangu::control {

class Loader;

/// How to ask the etcd that a config names.
etcd::Options client_options(const config::ConfigCenter& center);

struct ConfigCenterStatus {
  bool enabled = false;
  bool connected = false;   // a watch is open
  std::string endpoint;     // that is asked
  std::string error;        // why there is no watch; empty: there is
  int64_t revision = 0;     // of the store, seen last
  int64_t applied = 0;      // and the one in force
  Duration last_change{};   // from the first news to the config in force
  bool from_cache = false;  // what is in force is not known to be what the store has
  ConfigSource::Report documents;
  FleetStatus fleet;
};

class ConfigCenter {
 public:
  struct Applied {
    bool tried = true;    // else it was a bad moment, and may be tried again
    std::string refused;  // why the gateway did not take what was loaded; empty: it did
  };

  struct Hooks {
    Loader* loader = nullptr;  // outlives it
    /// Loads by this on the loader's thread and publishes; `done` on the control thread.
    std::function<void(std::function<config::LoadResult()> load, std::string actor,
                       std::function<void(Applied)> done)>
        apply;
    /// A document is not in force; not told again for the same reason.
    std::function<void(const config::Refusal&)> on_refused;
    /// This node has driven a rollout to that state.
    std::function<void(const fleet::Rollout&)> on_driven;
    /// See FleetMember::Hooks.
    ReleaseController* releases = nullptr;
    std::shared_ptr<ReleaseBook> release_book;
    std::shared_ptr<FleetKeys> keys;
    std::function<std::vector<fleet::ExpiringCertificate>()> certificates;
  };

  /// `registry` outlives it.
  ConfigCenter(boost::asio::io_context& context, const config::Config& config,
               std::shared_ptr<ConfigSource> source, const stats::Registry& registry, Hooks hooks);
  ~ConfigCenter();  // ends everything

  void start();

  /// Calls `done` when the documents of the store, or of the cache, are in force. Readiness waits
  /// for that: a gateway that knows none of its routes would answer 404 to everybody.
  void when_known(std::function<void()> done);

  bool known() const;

  /// The others of the fleet are told that this node is gone; its config goes on.
  void leave_fleet();

  /// The others know of this node.
  bool joined() const;

  ConfigCenterStatus status() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace hangu::control
