// What several sections of the config are made of.
#pragma once

#include <cstdint>
#include <string>

namespace hangu::config {

inline constexpr uint32_t kNoUpstream = UINT32_MAX;
inline constexpr uint32_t kNoStore = UINT32_MAX;

/// When a store does not answer: each node decides by itself, all is well, or nothing is.
enum class OnStoreError : uint8_t { kLocal, kAllow, kDeny };

struct Cidr {
  std::string text;  // "10.0.0.0/8"; checked by the loader
  bool operator==(const Cidr&) const = default;
};

/// A value that is never printed: from ${ENV}, file: or written down.
struct Secret {
  std::string text;
  bool operator==(const Secret&) const = default;
};

/// How to speak to an etcd over TLS: https:// says whether.
struct EtcdTls {
  std::string ca;           // PEM; empty: the system's
  std::string server_name;  // empty: the host of the URL
  std::string certificate;  // of ours; may be empty
  std::string key;
  bool operator==(const EtcdTls&) const = default;
};

}  // namespace hangu::config
