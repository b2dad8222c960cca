#include "downstream/tunnel_session.h"

#include <utility>

#include "hangu/downstream/session_table.h"
#include "hangu/stats/shard_stats.h"

namespace hangu::downstream {

void TunnelSession::take(std::unique_ptr<filter::Tunnel> tunnel) noexcept {
  tunnel_ = std::move(tunnel);
}

void TunnelSession::close() noexcept {
  if (!ended_) {
    tunnel_->close();
  }
}

bool TunnelSession::say_goodbye(uint16_t code) noexcept {
  leaving_ = true;
  return !ended_ && tunnel_->say_goodbye(code);
}

void TunnelSession::on_tunnel_end() noexcept {
  ended_ = true;
  table().shard().stats().upgrades_active.subtract();
  table().bury(*this);
}

size_t TunnelSession::held_bytes() noexcept {
  return tunnel_->held_bytes();
}

uint64_t TunnelSession::sent_bytes() const noexcept {
  return tunnel_->sent_bytes();
}

}  // namespace hangu::downstream
