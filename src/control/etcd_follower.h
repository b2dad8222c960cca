// EtcdFollower: tells somebody of all keys below some prefixes, and of what becomes of them, for as
// long as it lives: reads them all once, watches them (one connection for all prefixes), and when
// the watch breaks goes on from where it was, with another member if need be, or reads everything
// anew when that is gone from the store. A watch that has gone silent is noticed. Coroutines of one
// io_context and thread. It knows nothing of what the keys mean.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "hangu/etcd/client.h"

namespace boost::asio {
class io_context;
}

namespace hangu::control {

class EtcdFollower {
 public:
  /// Called from a coroutine; not after stop(). The last two may be empty.
  struct Hooks {
    /// Everything there is below a prefix, whatever was told before.
    std::function<void(const std::string& prefix, std::vector<etcd::KeyValue> all,
                       int64_t revision)>
        on_all;
    /// In order; below one of the prefixes.
    std::function<void(std::vector<etcd::Event> events)> on_events;
    /// The state has changed.
    std::function<void()> on_state;
    /// A prefix alone cannot be read. It is tried again.
    std::function<void(const std::string& prefix, const std::string& error)> on_refused;
  };

  struct State {
    bool connected = false;  // a watch is open
    std::string error;       // why there is none
    int64_t revision = 0;    // of the store, seen last
  };

  /// `name`: what its lines in the log begin with.
  EtcdFollower(boost::asio::io_context& context, std::shared_ptr<etcd::Client> client,
               std::string name, Hooks hooks);
  ~EtcdFollower();

  void start();
  void stop();

  /// These from now on; perhaps none.
  void follow(std::vector<std::string> prefixes);

  /// Reads everything again.
  void begin_anew(const std::string& reason);

  const State& state() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace hangu::control
