// What is known of the instances of an upstream with `discovery`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hangu/base/clock.h"
#include "hangu/config/discovery.h"

namespace hangu::control {

/// One that a source names and that is left out.
struct RefusedInstance {
  std::string key;
  std::string reason;
  bool operator==(const RefusedInstance&) const = default;
};

struct DiscoveryStatus {
  enum class State : uint8_t {
    kWaiting,  // for the first answer
    kFresh,    // the instances are those of the source
    kStale,    // they are the last good ones, see `error`
  };

  std::string upstream;
  std::string source;             // see source_name()
  config::InstanceLabels labels;  // that its instances have; empty: all of the source are its
  State state = State::kWaiting;
  bool from_cache = false;  // what is known is of an earlier process
  size_t instances = 0;
  size_t others = 0;  // of the source, by their labels not of this upstream
  std::string error;  // why the source's last answer was no good
  WallTime since;     // it is stale
  std::vector<RefusedInstance> refused;
  uint64_t changes = 0;
  uint64_t failures = 0;  // times that it became stale
};

std::string_view to_string(DiscoveryStatus::State state);

/// "etcd /services/orders/ {version: 2.0}", "srv _http._tcp.orders.example.org", "file
/// /etc/hangu/orders.yaml".
std::string source_name(const config::Discovery& discovery);

}  // namespace hangu::control
