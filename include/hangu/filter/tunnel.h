// Tunnel: what takes the place of a stream and its exchange when both sides have switched to
// another protocol over connections of their own: the proxy's half, which carries the bytes, and
// the session's, which stands for it among the client connections. One shard.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace hangu::filter {

/// Carries the bytes and reports the stream's end. Owned by its TunnelOwner.
class Tunnel {
 public:
  Tunnel() = default;
  virtual ~Tunnel() = default;

  Tunnel(const Tunnel&) = delete;
  Tunnel& operator=(const Tunnel&) = delete;

  /// Cuts it off; TunnelOwner::on_tunnel_end() comes before this returns.
  virtual void close() noexcept = 0;
  /// Says goodbye to the client in the words of the protocol that it speaks, as soon as that is
  /// possible, and ends in good order; false: it knows no such words. `code`: of a WebSocket.
  virtual bool say_goodbye(uint16_t code) noexcept = 0;
  /// Bytes that wait for the client, and those that its connection has taken.
  virtual size_t held_bytes() const noexcept = 0;
  virtual uint64_t sent_bytes() const noexcept = 0;
};

class TunnelOwner {
 public:
  virtual void take(std::unique_ptr<Tunnel> tunnel) noexcept = 0;
  /// The stream has been reported and the connections let go of. The tunnel, which may be in the
  /// middle of a call, must live to the end of the turn.
  virtual void on_tunnel_end() noexcept = 0;

 protected:
  ~TunnelOwner() = default;
};

}  // namespace hangu::filter
