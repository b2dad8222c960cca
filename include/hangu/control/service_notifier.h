// ServiceNotifier: tells the service manager what the process is doing, in the sd_notify protocol:
// datagrams of "KEY=value" lines to the Unix socket named by NOTIFY_SOCKET. Control thread. Silent
// when there is no such socket; a lost message is never an error. It does not link with libsystemd.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "hangu/base/clock.h"

namespace hangu::control {

class ServiceNotifier {
 public:
  /// An empty path makes a notifier that says nothing; "@name" is an abstract socket.
  ServiceNotifier(std::string_view socket_path, Duration watchdog);
  ~ServiceNotifier();

  ServiceNotifier(const ServiceNotifier&) = delete;
  ServiceNotifier& operator=(const ServiceNotifier&) = delete;

  /// From NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID.
  static ServiceNotifier from_environment();

  bool active() const { return fd_ >= 0; }

  /// How often alive() is due: half of what the manager waits; 0: no watchdog.
  Duration watchdog_interval() const { return watchdog_ / 2; }

  void ready(std::string_view status);
  void reloading(TimePoint now);
  void stopping(std::string_view status, Duration at_most);
  void status(std::string_view text);
  /// Keeps a copy of `descriptor` for us, until forget() or for the next process after a crash.
  void keep(int descriptor, std::string_view name);
  void forget(std::string_view name);
  /// Another process is the main one from now on, and speaks.
  void main_process(int64_t pid);
  void alive();

 private:
  void send(std::string_view message, int descriptor = -1) const;

  int fd_ = -1;
  std::string address_;  // a sockaddr_un as bytes
  Duration watchdog_;
};

}  // namespace hangu::control
