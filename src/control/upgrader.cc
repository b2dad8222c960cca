#include "control/upgrader.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include "hangu/base/log.h"
#include "hangu/control/process.h"
#include "hangu/net/descriptor_passing.h"

namespace hangu::control {
namespace {

using Kind = HandoverMessage::Kind;

// To open the audit log and to accept, once the old process has let go.
constexpr Duration kGoTimeout = std::chrono::seconds(10);
// For one that failed to end by itself.
constexpr Duration kEndPatience = std::chrono::seconds(2);
constexpr Duration kEndPoll = std::chrono::milliseconds(10);

bool make_pair(int (&ends)[2]) {
  return ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0;
}

void close_socket(int& fd) {
  if (fd >= 0) {
    ::close(std::exchange(fd, -1));
  }
}

}  // namespace

Upgrader::Upgrader(boost::asio::io_context& context, Lineage* lineage, UpgradeHooks hooks)
    : context_(context),
      lineage_(lineage),
      hooks_(std::move(hooks)),
      timer_(context) {
  own_binary();  // now, while the path by which we were started leads to us
}

void Upgrader::begin(const Plan& plan, std::function<void(UpgradeOutcome)> done) {
  plan_ = plan;
  done_ = std::move(done);
  reason_.clear();
  version_.clear();
  handed_over_ = false;
  begun_ = monotonic_now();
  const std::string& binary = plan.binary.empty() ? own_binary() : plan.binary;
  log::info("event=upgrade_begins binary={}", binary);
  const auto process = start_successor({.binary = binary,
                                        .report_socket = lineage_->report_socket(),
                                        .own_group = lineage_->stays()});
  if (!process) {
    reason_ = process.error();
    finish_failure({});
    return;
  }
  succession_ = {.pid = process->pid};
  channel_ = std::make_unique<HandoverChannel>(
      context_, process->socket,
      [this](const HandoverMessage* message, std::vector<int> descriptors) {
        on_message(message, std::move(descriptors));
      });
  arm(plan.ready_timeout, [this] {
    fail(
        fmt::format("the new process was not ready within {} s (upgrade.ready_timeout)",
                    std::chrono::duration_cast<std::chrono::seconds>(plan_.ready_timeout).count()));
  });
}

void Upgrader::arm(Duration after, std::function<void()> then) {
  timer_.expires_after(after);
  timer_.async_wait([then = std::move(then)](const boost::system::error_code& error) {
    if (!error) {
      then();
    }
  });
}

void Upgrader::on_message(const HandoverMessage* message, std::vector<int> descriptors) {
  for (const int fd : descriptors) {
    ::close(fd);  // none is expected
  }
  if (message == nullptr) {
    if (left_) {
      hooks_.alone();
    } else if (under_way() && reason_.empty()) {
      fail({});
    }
    return;
  }
  switch (message->kind) {
    case Kind::kHello:
      if (reason_.empty()) {
        version_ = message->fact("version");
        send_sockets();
      }
      break;
    case Kind::kReady: hand_over(*message); break;
    case Kind::kDone: leave(); break;
    case Kind::kFailed: fail(message->text); break;
    case Kind::kReopen: hooks_.reopen_logs(); break;
    case Kind::kSockets:
    case Kind::kBequest:
    case Kind::kGo:
    case Kind::kMain: break;
  }
}

void Upgrader::send_sockets() {
  const std::vector<server::HandedSocket> sockets = hooks_.sockets();
  for (size_t at = 0; at < sockets.size();) {
    HandoverMessage message{.kind = Kind::kSockets, .facts = {}, .text = {}};
    std::vector<int> descriptors;
    for (; at < sockets.size() && descriptors.size() < net::kDescriptorsMax; ++at) {
      message.text += sockets[at].listener + '\n';
      descriptors.push_back(sockets[at].fd);
    }
    channel_->send(message, descriptors);
  }
  channel_->send({.kind = Kind::kBequest,
                  .facts = {{"generation", std::to_string(plan_.generation)},
                            {"pid", std::to_string(::getpid())}},
                  .text = hooks_.secrets()});
}

/// From here on it is either the new process or the old one that writes the files, never both.
void Upgrader::hand_over(const HandoverMessage& ready) {
  if (!under_way() || !reason_.empty() || handed_over_) {
    return;
  }
  const std::string audit = ready.fact("audit");
  const std::string detail =
      fmt::format("pid={} successor={} version={} successor_version={} actor={}", ::getpid(),
                  succession_.pid, HANGU_VERSION, version_, plan_.actor);
  if (auto done = hooks_.hand_over(audit, detail); !done) {
    fail(done.error());
    return;
  }
  handed_over_ = true;
  int idle[2] = {-1, -1};
  int relay[2] = {-1, -1};
  const bool relayed = !audit.empty() && audit == plan_.audit_path;
  if (!make_pair(idle) || (relayed && !make_pair(relay))) {
    close_socket(idle[0]);
    close_socket(idle[1]);
    fail("no socket for idle connections");
    return;
  }
  succession_.idle_socket = idle[0];
  succession_.audit_socket = relay[0];
  std::vector<int> theirs = {idle[1]};
  if (relayed) {
    theirs.push_back(relay[1]);
  }
  channel_->send(
      {.kind = Kind::kGo, .facts = {{"idle", "1"}, {"audit", relayed ? "1" : "0"}}, .text = {}},
      theirs);
  close_socket(idle[1]);
  close_socket(relay[1]);
  arm(kGoTimeout, [this] { fail("the new process did not take over in time"); });
}

void Upgrader::leave() {
  if (!handed_over_ || !reason_.empty() || left_) {
    return;
  }
  left_ = true;
  timer_.cancel();
  UpgradeOutcome outcome{.done = true,
                         .error = {},
                         .pid = succession_.pid,
                         .version = version_,
                         .took = monotonic_now() - begun_};
  hooks_.leave(std::exchange(succession_, Succession{.pid = succession_.pid}));
  std::exchange(done_, nullptr)(std::move(outcome));
}

void Upgrader::tell_main() {
  channel_->send({.kind = Kind::kMain, .facts = {}, .text = {}});
}

// --- when it does not work --------------------------------------------------------------------

/// Empty: how it ends says why.
void Upgrader::fail(std::string reason) {
  if (!under_way() || kill_at_ != TimePoint{}) {
    return;
  }
  reason_ = reason.empty() ? "-" : std::move(reason);
  kill_at_ = monotonic_now() + kEndPatience;
  wait_for_end();
}

bool Upgrader::give_up(const std::string& reason) {
  if (handed_over_) {
    return false;
  }
  ::kill(succession_.pid, SIGKILL);
  fail(reason);
  return true;
}

/// Its files may be ours again only when it is gone.
void Upgrader::wait_for_end() {
  if (reason_ != "-" && monotonic_now() >= kill_at_) {
    ::kill(succession_.pid, SIGKILL);
  } else if (monotonic_now() >= kill_at_) {
    reason_ = "the new process closed its end";
  }
  const std::string how = end_of(succession_.pid);
  if (how.empty()) {
    arm(kEndPoll, [this] { wait_for_end(); });
    return;
  }
  timer_.cancel();
  if (reason_ == "-") {
    reason_ = "the new process " + how;
  }
  finish_failure(how);
}

void Upgrader::finish_failure(const std::string& how) {
  kill_at_ = {};
  channel_.reset();
  close_sockets();
  if (std::exchange(handed_over_, false)) {
    hooks_.take_back();
  }
  log::error("event=upgrade_failed error=\"{}\" process=\"{}\"", reason_, how);
  boost::asio::post(context_, [done = std::exchange(done_, nullptr), reason = reason_] {
    done({.done = false, .error = reason});
  });
}

void Upgrader::close_sockets() {
  close_socket(succession_.idle_socket);
  close_socket(succession_.audit_socket);
}

}  // namespace hangu::control
