// Where an upstream has its endpoints from, beside those in the config: part of Config, see
// config.h.
#pragma once

#include <chrono>
#include <cstddef>
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

/// At most one of the three.
struct Discovery {
  EtcdRegistry etcd;
  std::string srv;   // name of SRV records (RFC 2782)
  std::string file;  // path of a file with a list of endpoints

  bool enabled() const { return !etcd.prefix.empty() || !srv.empty() || !file.empty(); }

  bool operator==(const Discovery&) const = default;
};

/// Of an upstream, from there; what is more is left out.
inline constexpr size_t kDiscoveredMax = 4096;

}  // namespace hangu::config
