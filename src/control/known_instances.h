// KnownInstances: what an upstream's source of instances has said, as far as it is the upstream's,
// by its labels, and to be believed: an answer without any instance of it, or none at all, leaves
// the last good ones where they are. Logs each turn once. It asks nobody.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "hangu/base/clock.h"
#include "hangu/config/endpoint_file.h"
#include "hangu/control/discovery_status.h"

namespace hangu::control {

/// An answer of a source.
struct FoundInstances {
  std::vector<config::Instance> instances;  // whatever their labels
  std::vector<RefusedInstance> refused;
  std::string error;  // why there is no answer; empty: there is
};

class KnownInstances {
 public:
  KnownInstances(std::string upstream, const config::Discovery& discovery);

  /// What an earlier process knew. Only before the first answer.
  void restore(std::vector<config::Endpoint> endpoints);

  /// Whether there are other endpoints now.
  bool take(FoundInstances found, WallTime now);

  const std::vector<config::Endpoint>& endpoints() const { return endpoints_; }

  /// Whether the source has said anything yet, good or bad.
  bool answered() const { return status_.state != DiscoveryStatus::State::kWaiting; }

  const DiscoveryStatus& status() const { return status_; }

  /// Of those left out, that are named.
  static constexpr size_t kRefusedMax = 100;

 private:
  std::vector<config::Endpoint> chosen(std::vector<config::Instance> instances) const;
  std::string nothing_there(size_t others, size_t refused) const;
  void become_stale(std::string error, WallTime now);
  void tell_refusals(std::vector<RefusedInstance> refused);

  DiscoveryStatus status_;
  std::vector<config::Endpoint> endpoints_;
  std::map<std::string, std::string> told_;  // refusals, by key
};

}  // namespace hangu::control
