// ListeningSockets: the sockets of the listeners: opened, or taken from those that the process was
// given. Control thread; the shards own the descriptors once they have them, and close them after
// forget().
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "hangu/base/result.h"
#include "hangu/config/config.h"
#include "hangu/net/inherited_sockets.h"
#include "hangu/server/handover.h"

namespace hangu::server {

class ListeningSockets {
 public:
  /// Of one listener. Socket i belongs to shard i modulo their number: one at least, more when
  /// there were more to take over than there are shards.
  struct Bound {
    std::string address;  // as bound: the real port where 0 was asked
    std::vector<int> sockets;
    uint32_t backlog = 0;
  };

  using Listeners = std::map<std::string, Bound>;  // by name

  explicit ListeningSockets(uint32_t shards)
      : shards_(shards) {}

  /// All that are bound to the address are taken from `given`, so that no connection that waits in
  /// one of them is lost; what is missing is bound. Connections come after listen().
  Result<Bound, std::string> open(const config::Listener& listener, net::InheritedSockets& given);

  static Result<void, std::string> listen(const Listeners& listeners);
  static void close(const Listeners& listeners);

  /// In use from here on.
  void add(const Listeners& listeners);

  void forget(const std::string& name) { open_.erase(name); }

  void forget_all() { open_.clear(); }

  const Listeners& all() const { return open_; }

  /// Whether one of `others` has the address of that listener, and so its sockets.
  bool goes_on(const std::string& name, const Listeners& others) const;

  /// Copies of those of the listeners in `names`, for others that want the address.
  void copy(const std::vector<std::string>& names, net::InheritedSockets& to) const;

  /// For another process; the descriptors stay ours.
  std::vector<HandedSocket> handed() const;

 private:
  const uint32_t shards_;
  Listeners open_;
};

}  // namespace hangu::server
