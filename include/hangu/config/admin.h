// The admin API as the config describes it: where it listens, who may do what.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "hangu/base/clock.h"

namespace hangu::config {

/// Mutually exclusive: an administrator has one.
enum class AdminRole : uint8_t {
  kSystem,    // runs the gateway: endpoints, reloads
  kSecurity,  // policies: reloads, plugins
  kAudit,     // reads the audit log
};

struct Administrator {
  std::string name;
  AdminRole role = AdminRole::kAudit;
  std::string account;    // of this machine: known by it on the Unix socket; empty: none
  std::string hash;       // of the password for /login; empty: none
  int64_t expires_s = 0;  // Unix time; 0: never
  bool operator==(const Administrator&) const = default;
};

/// The admin API over TLS, on TCP.
struct AdminTls {
  std::string certificate;  // PEM file, with the chain; empty: no TLS
  std::string key;
  std::string client_ca;  // PEM file; not empty: callers need a certificate of one of these
  bool operator==(const AdminTls&) const = default;
};

struct Admin {
  std::string unix_path = "/run/hangu/admin.sock";
  std::string tcp_bind;  // empty: none; loopback only unless allow_remote
  bool allow_remote = false;
  AdminTls tls;
  bool writable = false;                      // documents may be written by the API
  bool require_match = false;                 // only by who says what they have looked at
  std::vector<Administrator> administrators;  // none: whoever reaches the API may do everything
  Duration idle_timeout = std::chrono::minutes(15);
  Duration session_max = std::chrono::hours(8);
  uint32_t attempts = 5;  // wrong passwords; 0: no limit
  Duration lockout = std::chrono::minutes(30);
  bool operator==(const Admin&) const = default;
};

}  // namespace hangu::config
