// Neighbours: the process's place between the one that it replaces and the one that replaces it, as
// the Daemon sees it: both sides of an upgrade, and the signals that belong to somebody else.
// Control thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "hangu/control/daemon.h"

#include "control/upgrader.h"

namespace hangu::control {

class Neighbours {
 public:
  /// The Daemon's part.
  class Host {
   public:
    virtual server::Gateway* gateway() = 0;  // nullptr: it is gone
    virtual std::vector<server::HandedSocket> admin_sockets() = 0;
    virtual void reopen_logs() = 0;
    /// This process serves, in the place of its predecessor.
    virtual void on_taken_over() = 0;
    /// And the service manager knows.
    virtual void on_main() = 0;
    /// There is nothing to be taken over any more.
    virtual void on_nothing_to_take() = 0;
    /// The successor serves; this process has `plan`.
    virtual void on_left(pid_t successor, const server::LeavePlan& plan) = 0;
    /// One that was deferred.
    virtual void on_signal(int number) = 0;
    /// Likewise; the successor has it, too.
    virtual void on_signal_after_leaving(int number) = 0;
    /// Nobody serves any more, and whoever started us is to know.
    virtual void on_line_ended() = 0;

   protected:
    ~Host() = default;
  };

  /// The pointers of `options` may be null.
  Neighbours(boost::asio::io_context& context, const DaemonOptions& options, Host& host);

  /// False as long as the predecessor does.
  bool serving() const { return predecessor_ == nullptr || taken_over_; }

  /// Whether the successor serves.
  bool left() const { return upgrader_.left(); }

  bool upgrading() const { return upgrader_.under_way(); }

  /// All is ready but serving().
  void ask_predecessor(const config::Config& config);

  /// Nothing else may be under way.
  void upgrade(const std::string& binary, const config::Config& config, std::string_view actor,
               std::function<void(UpgradeOutcome)> done);

  /// To the predecessor's log files, too.
  void reopen_logs();

  void tell_main() { upgrader_.tell_main(); }

  /// Whether this process, once it has nothing to do, stays as the parent of those after it.
  bool stays_behind() const { return left() && lineage_->stays(); }

  /// Whether a signal to this process is meant for its successor, which has it then.
  bool pass_on(int signal);

  /// Whether a signal to end has to wait: the successor may serve already, and is to end with us
  /// then. An upgrade that has not come that far is given up.
  bool defers(int signal);

  /// 0: it is not there any more.
  int64_t predecessor() const;

 private:
  Predecessor::Hooks takeover_hooks();
  UpgradeHooks upgrade_hooks();
  void leave(const Succession& to);
  void take_deferred_signal();

  Lineage* lineage_;
  Predecessor* predecessor_;
  int64_t predecessor_pid_;
  Host& host_;
  config::Upgrade window_;  // of the config at the time
  Upgrader upgrader_;
  int deferred_ = 0;     // a signal
  bool ending_ = false;  // so is the successor: that it has ended is no reason for haste
  bool taken_over_ = false;
};

}  // namespace hangu::control
