// Where a fleet of gateways has its config from: part of Config, see config.h.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "hangu/base/clock.h"
#include "hangu/config/common.h"
#include "hangu/config/mode.h"

namespace hangu::config {

/// What a release is compared by with what was there before it.
struct RolloutGuard {
  uint64_t requests_min = 200;        // of the nodes that have it, before anything is said
  Percent error_ratio_delta{10'000};  // 1 %: so much more of all requests may fail
  Percent p99_delta{200'000};         // 20 %: so much longer may the slowest take
  bool hold = false;                  // stop there, in place of going back
  bool operator==(const RolloutGuard&) const = default;
};

/// How a push that is to reach the nodes by and by does.
struct RolloutPlan {
  std::vector<std::string> stages = {"10%", "50%", "100%"};  // "canary=yes": nodes of that label
  Duration every = std::chrono::minutes(5);         // a stage lasts, from its nodes being ready
  Duration ready_within = std::chrono::minutes(1);  // that they have for it
  Percent ready{850'000};                           // of a stage's nodes
  RolloutGuard guard;
  bool operator==(const RolloutPlan&) const = default;
};

/// Keys that the nodes of a fleet have in common: see fleet/key_ring.h.
struct SharedKeys {
  std::vector<Secret> secrets;  // that they are encrypted with: by the first; none: each node has
                                // keys of its own
  Duration rotation = std::chrono::hours(12);  // how long one seals
  Duration lead = std::chrono::seconds(30);    // for which it is known before that
  Duration keep = std::chrono::hours(24);      // for which it opens after that
  bool operator==(const SharedKeys&) const = default;
};

/// An etcd whose keys below `prefix` are documents that join the file's lists.
struct ConfigCenter {
  bool enabled = false;
  std::vector<std::string> endpoints = {"http://127.0.0.1:2379"};  // URLs
  std::string prefix = "/hangu/";
  std::string username;  // empty: no authentication
  Secret password;
  EtcdTls tls;
  std::vector<std::string> trusted_keys;  // PEM, Ed25519; empty: no signature is needed
  uint32_t approvals = 1;                 // signatures of different people that a document needs
  bool cache = true;                      // of the last good documents, in `state_dir`
  Secret cache_key;                       // that it is encrypted with; empty: it is not
  bool confirm_empty = false;             // a store without documents is what it says
  Duration timeout = std::chrono::seconds(5);  // of a question
  bool member = true;                          // tells the others of itself, and is told to drive
  std::vector<std::string> labels;             // of this node: "zone=east"
  Duration session_timeout = std::chrono::seconds(10);  // after which a silent node is gone
  RolloutPlan rollout;
  SharedKeys keys;
  bool operator==(const ConfigCenter&) const = default;
};

}  // namespace hangu::config
