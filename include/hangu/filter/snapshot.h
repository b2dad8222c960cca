// Snapshot: one generation of the config, compiled for the data plane: route table, filter chains,
// statistics slots, trust sets. Built on the control thread, immutable, shared by all shards. A
// stream keeps the snapshot it began with through a SnapshotRef, which counts on one shard without
// atomics.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "hangu/base/shared_list.h"
#include "hangu/config/config.h"
#include "hangu/filter/filter_chain.h"
#include "hangu/policy/cidr_set.h"
#include "hangu/policy/circuit_breaker.h"
#include "hangu/policy/route_table.h"
#include "hangu/stats/route_stats.h"

namespace hangu::tls {
class ServerContext;  // here it is only kept
}

namespace hangu::filter {

/// One route as streams use it. Generations share those that did not change, so a filter of its
/// chain keeps no reference into a Config, but to this route.
struct RouteRuntime {
  const config::Route* config = nullptr;
  std::shared_ptr<const config::Route> route;  // keeps `config` alive
  FilterChain chain;
  std::shared_ptr<stats::RouteStats> stats;
  uint32_t cluster = 0;  // stable number of the upstream, see server/: it survives generations
  std::shared_ptr<policy::CircuitBreaker> breaker;  // nullptr: the route has none in force
};

struct ListenerRuntime {
  const config::Listener* config = nullptr;
  policy::CidrSet trusted_proxies;
  policy::CidrSet proxy_protocol_from;
  std::shared_ptr<const tls::ServerContext> tls;  // nullptr: none
};

struct Snapshot {
  std::shared_ptr<const config::Config> config;
  policy::RouteTable route_table;
  FilterChain entry;                       // every request, before its route's own chain
  SharedList<RouteRuntime> routes;         // by the slots of route_table
  bool answers_preflights = false;         // some route has `cors`
  std::vector<ListenerRuntime> listeners;  // as config->listeners

  const ListenerRuntime* find_listener(const std::string& name) const {
    for (const ListenerRuntime& listener : listeners) {
      if (listener.config->name == name) {
        return &listener;
      }
    }
    return nullptr;
  }
};

/// One shard's hold on a snapshot; counts the shard's streams that use it.
class SnapshotHolder {
 public:
  explicit SnapshotHolder(std::shared_ptr<const Snapshot> snapshot)
      : snapshot_(std::move(snapshot)) {}

  const Snapshot& get() const { return *snapshot_; }

 private:
  friend class SnapshotRef;

  std::shared_ptr<const Snapshot> snapshot_;
  uint32_t references_ = 0;
};

/// Intrusive reference to a SnapshotHolder; not thread-safe: it never leaves its shard.
class SnapshotRef {
 public:
  SnapshotRef() = default;

  explicit SnapshotRef(std::shared_ptr<const Snapshot> snapshot)
      // NOLINTNEXTLINE(cppcoreguidelines-owning-memory): released with the last reference.
      : SnapshotRef(new SnapshotHolder(std::move(snapshot))) {}

  SnapshotRef(const SnapshotRef& other)
      : SnapshotRef(other.holder_) {}

  SnapshotRef(SnapshotRef&& other) noexcept
      : holder_(std::exchange(other.holder_, nullptr)) {}

  SnapshotRef& operator=(SnapshotRef other) noexcept {
    std::swap(holder_, other.holder_);
    return *this;
  }

  ~SnapshotRef() {
    if (holder_ != nullptr && --holder_->references_ == 0) {
      delete holder_;
    }
  }

  explicit operator bool() const { return holder_ != nullptr; }

  const Snapshot& operator*() const { return holder_->get(); }

  const Snapshot* operator->() const { return &holder_->get(); }

 private:
  explicit SnapshotRef(SnapshotHolder* holder)
      : holder_(holder) {
    if (holder_ != nullptr) {
      ++holder_->references_;
    }
  }

  SnapshotHolder* holder_ = nullptr;
};

}  // namespace hangu::filter
