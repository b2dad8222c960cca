// ForwardAuth: an authorization service that is asked before a request goes on. Part of Config;
// routes refer to it.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "hangu/base/clock.h"
#include "hangu/config/common.h"
#include "hangu/config/key_part.h"
#include "hangu/config/mode.h"

namespace hangu::config {

/// What becomes of a request when the service does not say.
enum class OnAuthError : uint8_t { kDeny, kAllow };

/// Decisions that hold for all requests that are alike.
struct DecisionCache {
  bool enabled = false;
  std::vector<KeyPart> key;
  Duration ttl = std::chrono::seconds(5);
  Duration deny_ttl = std::chrono::seconds(1);
  uint32_t entries = 4096;  // per shard
  bool operator==(const DecisionCache&) const = default;
};

/// What becomes of a request whose body is larger than the service is to see.
enum class OnLargeBody : uint8_t { kRefuse, kOmit };

/// The bodies of requests, which the service sees before the upstream does.
struct ShownBody {
  bool enabled = false;
  uint64_t bytes_max = 8 * 1024;
  OnLargeBody on_large = OnLargeBody::kRefuse;
  bool operator==(const ShownBody&) const = default;
};

struct ForwardAuth {
  std::string name;
  uint32_t upstream = kNoUpstream;  // index in Config::upstreams
  std::string path = "/";
  std::string path_prefix;  // in its place: what the request's own path is appended to
  Duration timeout = std::chrono::milliseconds(200);
  OnAuthError on_error = OnAuthError::kDeny;
  uint32_t status_on_error = 403;
  std::vector<std::string> request_headers = {"authorization"};
  std::vector<std::string> response_headers;  // of the service, for the upstream
  std::vector<std::string> client_headers = {"www-authenticate", "set-cookie", "location"};
  std::string consumer_header;  // of the service: who the client is; empty: it does not say
  std::string groups_header;
  uint32_t requests_max = 1000;  // under way at once, per shard
  ShownBody body;
  DecisionCache cache;
  Mode mode = Mode::kEnforce;
  bool operator==(const ForwardAuth&) const = default;
};

inline constexpr uint32_t kNoForwardAuth = UINT32_MAX;

}  // namespace hangu::config
