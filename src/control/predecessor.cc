#include "hangu/control/predecessor.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <fmt/format.h>

#include "hangu/base/log.h"
#include "hangu/base/parse.h"
#include "hangu/net/descriptor_passing.h"

#include "control/handover_channel.h"

namespace hangu::control {
namespace {

using boost::asio::posix::stream_descriptor;
using boost::system::error_code;
using Kind = HandoverMessage::Kind;

constexpr const char* kVariable = "HANGU_UPGRADE_FD";
constexpr time_t kReceiveTimeout = 10;  // seconds
constexpr size_t kIdleBytesMax = 1024;  // of what is told of one connection
constexpr int kIdleBatch = 256;
constexpr const char* kCut =
    "not all sockets of the process to be replaced have come: are there descriptors left?";

void close_all(const std::vector<int>& descriptors) {
  for (const int fd : descriptors) {
    ::close(fd);
  }
}

class PredecessorImpl final : public Predecessor {
 public:
  PredecessorImpl(boost::asio::io_context& context, int socket)
      : context_(context),
        socket_(socket),
        idle_(context) {}

  ~PredecessorImpl() override {
    if (socket_ >= 0) {
      ::close(socket_);
    }
  }

  Result<Bequest, std::string> receive() override {
    const timeval limit{.tv_sec = kReceiveTimeout, .tv_usec = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    say({.kind = Kind::kHello,
         .facts = {{"version", HANGU_VERSION}, {"pid", std::to_string(::getpid())}},
         .text = {}});
    Bequest bequest{.sockets = std::make_shared<net::InheritedSockets>(), .secrets = {}};
    for (;;) {
      const net::Received received = net::receive_with_descriptors(socket_, kHandoverBytesMax);
      const auto message = decode_handover(received.bytes);
      if (received.cut) {
        close_all(received.descriptors);
        return Failure<std::string>{kCut};
      }
      if (!message) {
        return Failure<std::string>{"the process to be replaced speaks another protocol, or none"};
      }
      if (message->kind == Kind::kBequest) {
        bequest.generation = parse_decimal(message->fact("generation")).value_or(0);
        bequest.pid = static_cast<int64_t>(parse_decimal(message->fact("pid")).value_or(0));
        bequest.secrets = message->text;
        return bequest;
      }
      if (!take_sockets(*message, received.descriptors, *bequest.sockets)) {
        return Failure<std::string>{kCut};
      }
    }
  }

  void ready(const std::string& audit_path, Hooks hooks) override {
    hooks_ = std::move(hooks);
    channel_ = std::make_unique<HandoverChannel>(
        context_, std::exchange(socket_, -1),
        [this](const HandoverMessage* message, std::vector<int> descriptors) {
          on_message(message, descriptors);
        });
    channel_->send({.kind = Kind::kReady, .facts = {{"audit", audit_path}}, .text = {}});
  }

  void fail(const std::string& reason) override {
    const HandoverMessage message{.kind = Kind::kFailed, .facts = {}, .text = reason};
    if (channel_ != nullptr) {
      channel_->send(message);
    } else {
      say(message);
    }
  }

  void reopen_logs() override {
    if (channel_ != nullptr && !gone_) {
      channel_->send({.kind = Kind::kReopen, .facts = {}, .text = {}});
    }
  }

  bool present() const override { return !gone_; }

 private:
  /// Before the channel is there.
  void say(const HandoverMessage& message) const {
    net::send_with_descriptors(socket_, encode(message), {});
  }

  /// False: some have not come.
  static bool take_sockets(const HandoverMessage& message, const std::vector<int>& descriptors,
                           net::InheritedSockets& sockets) {
    const auto told = std::count(message.text.begin(), message.text.end(), '\n');
    std::string_view names = message.text;
    for (const int fd : descriptors) {
      const size_t end = std::min(names.find('\n'), names.size());
      sockets.add(fd, std::string(names.substr(0, end)));
      names.remove_prefix(std::min(end + 1, names.size()));
    }
    return static_cast<size_t>(told) == descriptors.size();
  }

  void on_message(const HandoverMessage* message, const std::vector<int>& descriptors) {
    if (message == nullptr) {
      gone_ = true;
      hooks_.on_gone(finished_);
    } else if (message->kind == Kind::kGo) {
      const size_t told = message->fact("audit") == "1" ? 2 : 1;
      if (descriptors.size() < told) {
        close_all(descriptors);
        refuse(kCut);
      } else {
        take_over(descriptors[0], told > 1 ? descriptors[1] : -1);
      }
    } else if (message->kind == Kind::kMain) {
      hooks_.on_main();
    }
  }

  void refuse(const std::string& reason) {
    fail(reason);
    hooks_.on_gone(false);
  }

  void take_over(int idle, int audit_relay) {
    if (auto taken = hooks_.take_over(audit_relay); !taken) {
      ::close(idle);
      refuse(taken.error());
      return;
    }
    finished_ = true;
    channel_->send({.kind = Kind::kDone, .facts = {}, .text = {}});
    error_code ignored;
    idle_.assign(idle, ignored);
    idle_.non_blocking(true, ignored);
    take_idle();
    hooks_.on_taken_over();
  }

  void take_idle() {
    idle_.async_wait(stream_descriptor::wait_read, [this](error_code error) {
      for (int i = 0; !error && i < kIdleBatch; ++i) {
        net::Received received =
            net::receive_with_descriptors(idle_.native_handle(), kIdleBytesMax);
        if (received.error == EAGAIN) {
          break;
        }
        if (received.bytes.empty()) {
          end_idle(error);
          return;
        }
        if (received.cut && idle_lost_++ == 0) {
          log::error("event=idle_connection_lost hint=\"are there descriptors left?\"");
        }
        for (const int fd : received.descriptors) {
          hooks_.adopt(fd, received.bytes);
        }
      }
      if (!error) {
        take_idle();
      }
    });
  }

  void end_idle(error_code& ignored) {
    idle_.close(ignored);
    if (idle_lost_ != 0) {
      log::error("event=idle_connections_lost count={}", idle_lost_);
    }
  }

  boost::asio::io_context& context_;
  int socket_;  // before the channel is there
  stream_descriptor idle_;
  std::unique_ptr<HandoverChannel> channel_;
  Hooks hooks_;
  uint64_t idle_lost_ = 0;  // that could not be taken
  bool finished_ = false;
  bool gone_ = false;
};

}  // namespace

std::unique_ptr<Predecessor> Predecessor::from_environment(boost::asio::io_context& context) {
  const char* text = std::getenv(kVariable);
  const auto fd = parse_decimal(text == nullptr ? "" : text, INT32_MAX);
  ::unsetenv(kVariable);
  if (!fd) {
    return nullptr;
  }
  const int socket = static_cast<int>(*fd);
  ::fcntl(socket, F_SETFD, FD_CLOEXEC);
  return std::make_unique<PredecessorImpl>(context, socket);
}

}  // namespace hangu::control
