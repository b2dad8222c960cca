// How a process ends, makes room for its successor, and takes leave of listeners. Part of config.h.
#pragma once

#include <chrono>

#include "hangu/base/clock.h"

namespace hangu::config {

struct Shutdown {
  Duration lb_delay = std::chrono::seconds(5);        // readiness off, still accepting
  Duration drain_timeout = std::chrono::seconds(60);  // then what is left is closed
  Duration ws_spread = std::chrono::seconds(20);      // the last part of it, for WebSockets
  bool operator==(const Shutdown&) const = default;
};

struct Upgrade {
  Duration ready_timeout =
      std::chrono::seconds(30);  // within which the new process has to be ready
  Duration drain_timeout = std::chrono::minutes(10);  // then the old one closes what is left
  Duration ws_spread = std::chrono::seconds(60);
  bool operator==(const Upgrade&) const = default;
};

/// For the connections of a listener that a reload removed.
struct ReloadWindow {
  Duration drain_timeout{};  // 0: tunnels stay
  Duration ws_spread = std::chrono::seconds(60);
  bool operator==(const ReloadWindow&) const = default;
};

}  // namespace hangu::config
