// BlockingStream: a connection over TCP, or TLS on top of it, for threads that may wait: those of
// sinks, never a shard. Every wait has a limit. Owned and used by one thread.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "hangu/base/clock.h"
#include "hangu/base/result.h"

namespace hangu::tls {

struct BlockingOptions {
  std::string host;
  std::string port;
  bool tls = false;
  std::string ca;           // PEM; empty: the system's
  std::string server_name;  // empty: the host
  std::string certificate;  // PEM, of ours; may be empty
  std::string key;
  Duration timeout = std::chrono::seconds(5);  // of each step
};

class BlockingStream {
 public:
  /// The error says in one line what went wrong.
  static Result<std::unique_ptr<BlockingStream>, std::string> connect(
      const BlockingOptions& options);

  virtual ~BlockingStream() = default;

  /// How much of it went out; less than all: the connection is of no use any more.
  virtual size_t write(std::string_view bytes) = 0;

  /// Whether the peer still holds the connection, as far as we can see. What it says is dropped.
  virtual bool alive() = 0;
};

}  // namespace hangu::tls
