// Predecessor: the new process's side of an upgrade, towards the process that started it: takes
// what that hands over, says when it is ready, and takes idle connections as long as the other has
// some. Control thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "hangu/base/result.h"
#include "hangu/net/inherited_sockets.h"

namespace boost::asio {
class io_context;
}

namespace hangu::control {

struct Bequest {
  std::shared_ptr<net::InheritedSockets> sockets;
  std::string secrets;
  uint64_t generation = 0;  // of the config that was in force
  int64_t pid = 0;          // of the predecessor
};

class Predecessor {
 public:
  /// nullptr: the process was started by somebody else. Takes HANGU_UPGRADE_FD out of the
  /// environment.
  static std::unique_ptr<Predecessor> from_environment(boost::asio::io_context& context);

  virtual ~Predecessor() = default;

  /// First, before the io_context runs: what there is to begin with. Blocks.
  virtual Result<Bequest, std::string> receive() = 0;

  struct Hooks {
    /// The files are ours; take over. `audit_relay`: from the predecessor's audit log; -1: none.
    std::function<Result<void, std::string>(int audit_relay)> take_over;
    std::function<void()> on_taken_over;  // we are the process that serves
    std::function<void()> on_main;        // and the service manager knows
    std::function<void(int fd, std::string told)> adopt;
    /// It has gone; `finished`: after on_taken_over.
    std::function<void(bool finished)> on_gone;
  };

  /// Says that all is ready. `audit_path`: of the log that will be written; empty: none.
  virtual void ready(const std::string& audit_path, Hooks hooks) = 0;

  /// Says why it cannot be.
  virtual void fail(const std::string& reason) = 0;

  /// Its log files, too, shall be opened again.
  virtual void reopen_logs() = 0;

  /// Whether it is still there.
  virtual bool present() const = 0;
};

}  // namespace hangu::control
