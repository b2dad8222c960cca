// TunnelSession: a client connection that has become a tunnel, which itself is the proxy's: stands
// for it in the SessionTable, in the listener's counts, and when clients are to be closed.
#pragma once

#include <memory>

#include "hangu/downstream/session.h"
#include "hangu/filter/tunnel.h"

namespace hangu::downstream {

class TunnelSession final : public Session, public filter::TunnelOwner {
 public:
  using Session::Session;

  void begin(buffer::Slice&&, buffer::Slice&&) noexcept override {}

  /// A tunnel has no answer after which it could end: it stays until its ends close it, until a
  /// TunnelPacer has its turn, or until the time for draining is over.
  void drain() noexcept override {}

  bool say_goodbye(uint16_t code) noexcept override;

  bool can_say_goodbye() const noexcept override { return !leaving_ && !ended_; }

  bool idle() const noexcept override { return false; }

  void close() noexcept override;
  size_t held_bytes() noexcept override;
  uint64_t sent_bytes() const noexcept override;

  // filter::TunnelOwner
  void take(std::unique_ptr<filter::Tunnel> tunnel) noexcept override;
  void on_tunnel_end() noexcept override;

 private:
  std::unique_ptr<filter::Tunnel> tunnel_;
  bool leaving_ = false;
  bool ended_ = false;
};

}  // namespace hangu::downstream
