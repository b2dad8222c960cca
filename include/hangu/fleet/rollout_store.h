// RolloutStore: the rollout and the nodes' reports as they stand in the config centre, and the
// transactions that change them. What is written holds only if nobody has written since it was
// read. Coroutines of the client's thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "hangu/etcd/client.h"
#include "hangu/fleet/publisher.h"
#include "hangu/fleet/rollout.h"

namespace hangu::fleet {

struct StoredRollout {
  std::optional<Rollout> rollout;  // none: there has not been any
  int64_t mod_revision = 0;
};

class RolloutStore {
 public:
  template <class T>
  using Answer = Publisher::Answer<T>;

  /// `prefix` as in the config, with its slash.
  RolloutStore(etcd::Client& client, std::string prefix);

  boost::asio::awaitable<Answer<StoredRollout>> read();

  /// Of all nodes that are there, by name.
  boost::asio::awaitable<Answer<std::vector<NodeReport>>> nodes();

  /// Of documents that Publisher::prepare() made of `state`. An error while another one is active.
  boost::asio::awaitable<Answer<void>> begin(const StoreState& state, Rollout rollout);

  /// In the place of what was read. `fence`: holds only as long as this does, too.
  boost::asio::awaitable<Answer<void>> write(StoredRollout before, Rollout rollout,
                                             std::optional<etcd::Compare> fence);

  /// Makes its documents everybody's, as the next generation. They have to be as they were when it
  /// began: else it is rolled back instead, with that cause. What was written.
  boost::asio::awaitable<Answer<Rollout>> complete(StoredRollout before, Rollout rollout,
                                                   std::optional<etcd::Compare> fence,
                                                   WallTime now);

  std::string node_key(const std::string& node) const { return prefix_ + "nodes/" + node; }

  /// Of the services' releases.
  std::string releases_key() const { return prefix_ + "releases"; }

  /// Shared by all nodes, encrypted: see KeyRing.
  std::string keys_key() const { return prefix_ + "keys"; }

  /// Of certificates.
  std::string alarms_key() const { return prefix_ + "alarms"; }

  std::string leader_key() const { return prefix_ + "leader"; }

 private:
  std::string rollout_key() const;

  /// `refusal`: what it means when a comparison does not hold.
  boost::asio::awaitable<Answer<void>> put(std::vector<etcd::Compare> compares, Rollout rollout,
                                           std::string_view refusal);

  etcd::Client& client_;
  Publisher publisher_;
  std::string prefix_;
};

/// Why this cannot be a rollout now; empty: it can.
std::string begin_error(const StoreState& state, const std::vector<PushedDocument>& documents);

/// Which of these a rollout that is active has in hand; empty: none.
std::string held_by_rollout(const StoreState& state, const std::vector<PushedDocument>& documents);

}  // namespace hangu::fleet
