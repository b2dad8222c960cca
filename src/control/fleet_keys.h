// FleetKeys: the keys that the nodes of a fleet have in common, as this node has them: in force in
// the gateway, and on its disk for the next start, encrypted as in the store. Control thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "hangu/base/clock.h"
#include "hangu/config/config.h"
#include "hangu/control/shared_keys_status.h"
#include "hangu/fleet/key_keeper.h"

namespace hangu::control {

class Loader;

class FleetKeys : public std::enable_shared_from_this<FleetKeys> {
 public:
  struct Hooks {
    /// Others are in force: see Gateway::set_shared_secrets().
    std::function<void(std::vector<std::string>)> use;
    /// Those in the store are not in force; not told again for the same reason.
    std::function<void(const std::string& reason)> on_refused;
    Loader* loader = nullptr;  // writes what this node has
  };

  /// With what this node had before; nullptr: by this config it has none in common.
  static std::shared_ptr<FleetKeys> open(boost::asio::io_context& context,
                                         const config::Config& config, Hooks hooks);

  FleetKeys(boost::asio::io_context& context, const config::Config& config, Hooks hooks);

  /// Calls `done` when there are keys, when those in the store are refused, or after `at_most`: a
  /// node that takes clients before would send them to log in anew.
  void when_known(Duration at_most, std::function<void()> done);

  std::vector<std::string> secrets() const { return keeper_.ring().secrets(); }

  /// What the store has; none: nothing.
  void take(std::optional<std::string_view> text);

  // See KeyKeeper.
  std::optional<std::string> to_write(const std::vector<uint64_t>& peers);

  void stand_back() { keeper_.stand_back(); }

  uint64_t generation() const { return keeper_.generation(); }

  SharedKeysStatus status() const;

 private:
  void save();
  void tell_waiter();

  Hooks hooks_;
  std::string path_;  // empty: they are not kept
  fleet::KeyKeeper keeper_;
  boost::asio::steady_timer patience_;
  std::function<void()> waiter_;
};

}  // namespace hangu::control
