// Connecting: a connection to an endpoint that is being made. When it is there, the endpoint makes
// an Http1Connection or Http2Connection of it for those who wait.
#pragma once

#include <cstdint>

#include "hangu/event/timer.h"
#include "hangu/net/connection.h"
#include "hangu/upstream/connection.h"

namespace hangu::upstream {

class Connecting final : public Connection, private net::ConnectionHandler {
 public:
  explicit Connecting(Endpoint& endpoint);

  /// The endpoint hears of the end, possibly before this returns.
  void begin() noexcept;

  void close() noexcept override;
  void retire() noexcept override;

 private:
  struct ConnectTimer final : event::Timer {
    explicit ConnectTimer(Connecting& connecting)
        : owner(connecting) {}

    void on_timer() noexcept override { owner.on_timeout(); }

    Connecting& owner;
  };

  void on_connected(Result<void> result) noexcept override;
  void on_data(buffer::Slice data) noexcept override;
  void on_end() noexcept override;
  void on_error(Error error) noexcept override;

  void on_writable() noexcept override {}

  void on_flushed() noexcept override {}

  void on_timeout() noexcept;
  void fail(Error error) noexcept;

  net::ConnectionPtr connection_;
  ConnectTimer timer_;
  bool closed_ = false;
};

}  // namespace hangu::upstream
