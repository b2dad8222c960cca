// Server: the admin endpoint on the wire: HTTP/1.1 over a Unix socket (mode 0660) and, when the
// config asks for it, TCP. Control thread, on the Daemon's io_context, which must not run any more
// when the Server is destroyed. Bounded in connections, body and time. It decides nothing: routes.h
// does.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "hangu/base/result.h"
#include "hangu/config/config.h"
#include "hangu/control/daemon.h"
#include "hangu/net/inherited_sockets.h"
#include "hangu/server/handover.h"

namespace hangu::admin {

struct ServerLimits {
  size_t connections_max = 64;      // over the Unix socket
  size_t tcp_connections_max = 32;  // a limit of its own: strangers do not shut that door
  size_t body_bytes_max = 64 * 1024;
  size_t document_bytes_max = 2 * 1024 * 1024;  // the same of who may write documents
  size_t head_bytes_max = 32 * 1024;
  Duration timeout = std::chrono::seconds(10);  // of one request, and of one reply
};

struct BindError {
  enum class Kind : uint8_t {
    kInUse,      // another process serves this very address
    kForbidden,  // this user may not
    kOther,
  };

  Kind kind = Kind::kOther;
  std::string message;
};

class Server {
 public:
  Server(boost::asio::io_context& context, control::Daemon& daemon, ServerLimits limits = {});
  ~Server();

  /// Opens what `admin` names and closes what it does not name any more; established connections
  /// stay. Where opening fails, what was open stays open and the error says why.
  Result<void, BindError> apply(const config::Admin& admin);

  // From process to process.

  /// Before apply(): takes what is wanted from `given`. `held`, as a successor: listens only after
  /// begin().
  void inherit(std::shared_ptr<net::InheritedSockets> given, bool held);
  void begin();

  /// For a successor; they stay ours.
  std::vector<server::HandedSocket> sockets() const;
  /// It listens now: stops, and leaves the Unix socket where it is.
  void leave();

  /// Stops listening and removes the Unix socket.
  void close();

  /// What it listens on: "unix:/run/hangu/admin.sock", "127.0.0.1:9901".
  std::vector<std::string> addresses() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hangu::admin
