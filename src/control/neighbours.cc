#include "control/neighbours.h"

#include <signal.h>
#include <unistd.h>

#include <utility>

#include "hangu/audit/audit_log.h"
#include "hangu/base/log.h"

#include "control/audit_events.h"

namespace hangu::control {
namespace {

bool ends(int signal) {
  return signal == SIGTERM || signal == SIGINT || signal == SIGQUIT;
}

}  // namespace

Neighbours::Neighbours(boost::asio::io_context& context, const DaemonOptions& options, Host& host)
    : lineage_(options.lineage),
      predecessor_(options.predecessor),
      predecessor_pid_(options.bequest.pid),
      host_(host),
      upgrader_(context, options.lineage, upgrade_hooks()) {}

int64_t Neighbours::predecessor() const {
  return predecessor_ != nullptr && predecessor_->present() ? predecessor_pid_ : 0;
}

// --- towards the predecessor ------------------------------------------------------------------

void Neighbours::ask_predecessor(const config::Config& config) {
  predecessor_->ready(config.audit.enabled ? config.audit.path : "", takeover_hooks());
}

Predecessor::Hooks Neighbours::takeover_hooks() {
  return {.take_over = [this](int relay) -> Result<void, std::string> {
            server::Gateway* const gateway = host_.gateway();
            if (gateway == nullptr) {
              return Failure<std::string>{"the process is going down"};
            }
            auto taken = gateway->take_over(relay);
            // Before our predecessor hears of it: what it lets go of, signals among it, is ours.
            if (taken && lineage_ != nullptr) {
              lineage_->report();
            }
            return taken;
          },
          .on_taken_over =
              [this] {
                taken_over_ = true;
                host_.on_taken_over();
              },
          .on_main = [this] { host_.on_main(); },
          .adopt =
              [this](int fd, const std::string& told) {
                if (server::Gateway* gateway = host_.gateway()) {
                  gateway->adopt(fd, told);
                } else {
                  ::close(fd);
                }
              },
          .on_gone =
              [this](bool finished) {
                log::info("event=predecessor_gone pid={} taken_over={}", predecessor_pid_,
                          finished);
                if (!finished) {
                  host_.on_nothing_to_take();
                }
              }};
}

void Neighbours::reopen_logs() {
  if (predecessor_ != nullptr) {
    predecessor_->reopen_logs();
  }
}

// --- towards the successor --------------------------------------------------------------------

void Neighbours::upgrade(const std::string& binary, const config::Config& config,
                         std::string_view actor, std::function<void(UpgradeOutcome)> done) {
  if (lineage_ == nullptr) {
    done({.done = false, .error = "this process cannot be replaced"});
    return;
  }
  window_ = config.upgrade;
  audit::AuditLog* const log = host_.gateway()->audit_log();
  upgrader_.begin({.binary = binary,
                   .ready_timeout = config.upgrade.ready_timeout,
                   .generation = config.generation,
                   .audit_path = log != nullptr ? log->options().file.path : "",
                   .actor = std::string(actor)},
                  [this, generation = config.generation, by = std::string(actor),
                   done = std::move(done)](UpgradeOutcome outcome) {
                    if (!outcome.done && host_.gateway() != nullptr) {
                      record_upgrade(host_.gateway()->audit_log(), generation, by, outcome.error);
                    }
                    done(std::move(outcome));
                    take_deferred_signal();
                  });
}

UpgradeHooks Neighbours::upgrade_hooks() {
  return {.sockets =
              [this] {
                std::vector<server::HandedSocket> all = host_.gateway()->sockets();
                for (server::HandedSocket& socket : host_.admin_sockets()) {
                  all.push_back(std::move(socket));
                }
                return all;
              },
          .secrets = [this] { return host_.gateway()->secrets(); },
          .hand_over =
              [this](const std::string& audit_path, const std::string& detail) {
                return host_.gateway()->hand_over(audit_path, detail);
              },
          .take_back = [this] { host_.gateway()->take_back(); },
          .leave = [this](const Succession& to) { leave(to); },
          .reopen_logs = [this] { host_.reopen_logs(); },
          .alone =
              [this] {
                if (!ending_ && lineage_->stays() && lineage_->heir() == upgrader_.successor()) {
                  host_.on_line_ended();
                }
              }};
}

void Neighbours::leave(const Succession& to) {
  log::info("event=upgraded successor={}", to.pid);
  if (to.audit_socket >= 0) {
    host_.gateway()->relay_audit(to.audit_socket);
  }
  lineage_->note_heir(to.pid);  // it may end before it has told anybody
  host_.on_left(to.pid, {.within = window_.drain_timeout,
                         .ws_spread = window_.ws_spread,
                         .to_successor = true,
                         .idle_socket = to.idle_socket});
}

bool Neighbours::defers(int signal) {
  if (!ends(signal) || !upgrading() || upgrader_.give_up("the process is going down")) {
    return false;
  }
  log::info("event=signal_deferred signal={} until=upgraded", signal);
  deferred_ = deferred_ == SIGQUIT ? SIGQUIT : signal;
  return true;
}

void Neighbours::take_deferred_signal() {
  const int signal = std::exchange(deferred_, 0);
  if (signal != 0 && left()) {
    ending_ = true;
    ::kill(upgrader_.successor(), signal);
    host_.on_signal_after_leaving(signal);
  } else if (signal != 0) {
    host_.on_signal(signal);
  }
}

bool Neighbours::pass_on(int signal) {
  if (stays_behind()) {
    ending_ = ending_ || ends(signal);
    lineage_->pass_on(signal);
  }
  return stays_behind();
}

}  // namespace hangu::control
