// Where an upstream has its endpoints from, beside those in the config: part of Config, see
// config.h.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "hangu/base/clock.h"
#include "hangu/config/common.h"

namespace hangu::config {

/// An etcd whose keys below `prefix` are instances: services put them there themselves.
struct EtcdRegistry {
  std::string prefix;                  // with a `/` at its end; empty: no etcd is asked
  std::vector<std::string> endpoints;  // URLs; empty: the etcd of `config_center`, as it is asked
  std::string username;                // empty: no authentication
  Secret password;
  EtcdTls tls;
  Duration timeout = std::chrono::seconds(5);  // of a question
  bool operator==(const EtcdRegistry&) const = default;
};

/// What an instance says of itself: "version" is "2.0".
using InstanceLabels = std::map<std::string, std::string>;

inline constexpr size_t kInstanceLabelsMax = 32;
inline constexpr size_t kInstanceLabelNameBytesMax = 63;
inline constexpr size_t kInstanceLabelValueBytesMax = 128;

/// At most one of the first three.
struct Discovery {
  EtcdRegistry etcd;
  std::string srv;        // name of SRV records (RFC 2782)
  std::string file;       // path of a file with a list of endpoints
  InstanceLabels labels;  // only instances that have all of these; not with `srv`

  bool enabled() const { return !etcd.prefix.empty() || !srv.empty() || !file.empty(); }

  bool operator==(const Discovery&) const = default;
};

/// Of an upstream, from there; what is more is left out.
inline constexpr size_t kDiscoveredMax = 4096;

}  // namespace hangu::config
