// Where a fleet of gateways has its config from: part of Config, see config.h.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "hangu/base/clock.h"
#include "hangu/config/common.h"

namespace hangu::config {

/// How to speak to it over TLS: https:// says whether.
struct ConfigCenterTls {
  std::string ca;           // PEM; empty: the system's
  std::string server_name;  // empty: the host of the URL
  std::string certificate;  // of ours; may be empty
  std::string key;
  bool operator==(const ConfigCenterTls&) const = default;
};

/// An etcd whose keys below `prefix` are documents that join the file's lists.
struct ConfigCenter {
  bool enabled = false;
  std::vector<std::string> endpoints = {"http://127.0.0.1:2379"};  // URLs
  std::string prefix = "/hangu/";
  std::string username;  // empty: no authentication
  Secret password;
  ConfigCenterTls tls;
  std::vector<std::string> trusted_keys;  // PEM, Ed25519; empty: no signature is needed
  uint32_t approvals = 1;                 // signatures of different people that a document needs
  bool cache = true;                      // of the last good documents, in `state_dir`
  Secret cache_key;                       // that it is encrypted with; empty: it is not
  bool confirm_empty = false;             // a store without documents is what it says
  Duration timeout = std::chrono::seconds(5);  // of a question
  bool operator==(const ConfigCenter&) const = default;
};

}  // namespace hangu::config
