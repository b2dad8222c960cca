// Upgrader: the old process's side of an upgrade: starts the new binary, hands over what it needs
// to be ready, and leaves the rest to it only when it is; whatever goes wrong before that, nothing
// has changed. Control thread.
//
//   starts it ─ hello ─ sockets, bequest ─ ready ─ hand over files ─ go ─ done ─ leaves
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "hangu/base/clock.h"
#include "hangu/base/result.h"
#include "hangu/control/daemon.h"
#include "hangu/control/lineage.h"
#include "hangu/server/handover.h"

#include "control/handover_channel.h"
#include "control/successor_process.h"

namespace hangu::control {

/// What the old process keeps towards the new one.
struct Succession {
  pid_t pid = 0;
  int idle_socket = -1;   // for idle connections; the taker's
  int audit_socket = -1;  // for records of the audit log; likewise; -1: it goes on writing its own
};

/// What the old process has to do for it; all are needed.
struct UpgradeHooks {
  std::function<std::vector<server::HandedSocket>()> sockets;
  std::function<std::string()> secrets;
  std::function<Result<void, std::string>(const std::string& audit_path, const std::string& detail)>
      hand_over;
  std::function<void()> take_back;
  /// From here on the other process serves.
  std::function<void(const Succession& succession)> leave;
  std::function<void()> reopen_logs;
  /// The successor has ended, or has closed its end.
  std::function<void()> alone;
};

class Upgrader {
 public:
  /// Without a `lineage` nothing can be begun.
  Upgrader(boost::asio::io_context& context, Lineage* lineage, UpgradeHooks hooks);

  struct Plan {
    std::string binary;  // empty: own_binary()
    Duration ready_timeout{};
    uint64_t generation = 0;  // of the config in force
    std::string audit_path;   // of the log that is written; empty: none
    std::string actor;
  };

  /// One at a time. Calls `done` once.
  void begin(const Plan& plan, std::function<void(UpgradeOutcome)> done);

  /// Ends the new process at once, unless it may serve already: then false.
  bool give_up(const std::string& reason);

  bool under_way() const { return done_ != nullptr; }

  /// Whether another process serves now.
  bool left() const { return left_; }

  pid_t successor() const { return succession_.pid; }

  /// The service manager knows: the other may speak to it.
  void tell_main();

 private:
  void on_message(const HandoverMessage* message, std::vector<int> descriptors);
  void send_sockets();
  void hand_over(const HandoverMessage& ready);
  void leave();
  void fail(std::string reason);
  void wait_for_end();
  void finish_failure(const std::string& how);
  void close_sockets();
  void arm(Duration after, std::function<void()> then);

  boost::asio::io_context& context_;
  Lineage* lineage_;
  UpgradeHooks hooks_;
  boost::asio::steady_timer timer_;
  Plan plan_;
  std::function<void(UpgradeOutcome)> done_;
  std::unique_ptr<HandoverChannel> channel_;
  Succession succession_;
  std::string version_;  // of the new one
  std::string reason_;   // why it failed; empty: it did not
  TimePoint begun_{};
  TimePoint kill_at_{};
  bool handed_over_ = false;
  bool left_ = false;
};

}  // namespace hangu::control
