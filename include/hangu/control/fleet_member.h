// FleetMember: this node among those of a fleet. It tells the others of itself, below a lease that
// ends when it falls silent, and stands for election; who is elected drives the rollout that there
// is, one step after the other, each of which holds only while it is elected, and the releases of
// services, the keys that all have in common, and alarms about certificates. Control thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "hangu/config/config.h"
#include "hangu/control/config_source.h"
#include "hangu/control/release_controller.h"
#include "hangu/control/shared_keys_status.h"
#include "hangu/fleet/certificate_alarms.h"
#include "hangu/fleet/rollout.h"
#include "hangu/stats/registry.h"

namespace boost::asio {
class io_context;
}

namespace hangu::control {

class FleetKeys;

struct FleetStatus {
  bool enabled = false;
  std::string node;
  std::vector<std::string> labels;
  bool joined = false;  // the others know of it
  std::string error;    // why not; empty: they do
  bool leads = false;   // it holds the election
  std::string leader;   // who does, as seen last; empty: nobody
  SharedKeysStatus keys;
  std::vector<fleet::CertificateAlarm> certificates;  // of all nodes, that end soon
};

class FleetMember {
 public:
  /// What of the store is in force here.
  struct InForce {
    int64_t revision = 0;
    ConfigSource::RolloutReport rollout;
  };

  struct Hooks {
    std::function<InForce()> in_force;
    /// This node has driven a rollout to that state.
    std::function<void(const fleet::Rollout&)> on_driven;
    /// Outlives the member, as does what it is given; nullptr: each node sees to its own releases.
    ReleaseController* releases = nullptr;
    /// Where this node writes them down for itself.
    std::shared_ptr<ReleaseBook> book;
    std::shared_ptr<FleetKeys> keys;  // nullptr: each node has its own
    /// Those of this node that end soon.
    std::function<std::vector<fleet::ExpiringCertificate>()> certificates;
  };

  /// `registry` outlives it.
  FleetMember(boost::asio::io_context& context, const config::Config& config,
              const stats::Registry& registry, Hooks hooks);
  ~FleetMember();  // as leave()

  void start();

  /// Something else is in force.
  void note();

  /// Tells the others that it is gone, unless a successor has taken its place.
  void leave();

  FleetStatus status() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace hangu::control
