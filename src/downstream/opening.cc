#include "hangu/downstream/opening.h"

#include <algorithm>
#include <utility>

#include "hangu/codec/http2/protocol.h"
#include "hangu/downstream/http1_session.h"
#include "hangu/downstream/http2_session.h"
#include "hangu/downstream/session_table.h"
#include "hangu/stats/shard_stats.h"
#include "hangu/tls/server_context.h"

namespace hangu::downstream {

using codec::http2::kClientPreface;

Opening::Opening(SessionTable& table, ListenerContext& listener, net::ConnectionPtr connection,
                 const net::Address& peer)
    : Session(table, listener),
      connection_(std::move(connection)),
      timer_(*this) {
  connection_->set_handler(this);
  connection_->set_watermarks(table.write_high_watermark(), table.write_low_watermark());
  peer_.set(peer, filter::ClientIpSource::kPeer);
  if (listener.runtime->proxy_protocol_from.contains(peer_.ip())) {
    state_ = State::kProxyHeader;
  }
}

void Opening::begin(buffer::Slice&&, buffer::Slice&&) noexcept {
  timer_.arm(table().loop().timers(), listener().runtime->config->timeouts.header);
  if (state_ != State::kProxyHeader && listener().runtime->tls != nullptr) {
    begin_handshake({});
  }
  connection_->resume_reading();
}

void Opening::begin_handshake(buffer::Slice&& received) noexcept {
  state_ = State::kHandshake;
  timer_.arm(table().loop().timers(), listener().runtime->config->tls.handshake_timeout);
  filter::ShardContext& shard = table().shard();
  connection_->secure(listener().runtime->tls->accept(shard.small_blocks(), shard.large_blocks()),
                      std::move(received));
}

void Opening::on_connected(Result<void> result) noexcept {
  stats::ShardStats& stats = table().shard().stats();
  if (!result) {
    stats.count_tls_failure(result.error().detail);
    timer_.disarm();
    state_ = State::kClosed;
    connection_->set_handler(nullptr);
    net::close_after_flush(std::move(connection_), true);  // the alert
    table().bury(*this);
    return;
  }
  const net::SecurityDetails& details = connection_->security()->details();
  (details.resumed ? stats.tls_handshakes_resumed : stats.tls_handshakes_full).add();
  hand_over(details.application_protocol == "h2", {});
}

void Opening::on_data(buffer::Slice data) noexcept {
  if (state_ == State::kProxyHeader && !process_proxy_header(data)) {
    return;
  }
  if (state_ == State::kProtocol && listener().runtime->tls != nullptr) {
    begin_handshake(std::move(data));
  } else if (state_ == State::kProtocol && data.size != 0) {
    process_protocol(std::move(data));
  }
}

/// True once the header is taken; `data` then holds what follows it.
bool Opening::process_proxy_header(buffer::Slice& data) noexcept {
  const size_t before = proxy_header_ != nullptr ? proxy_header_->size() : 0;
  std::string_view input = data.view();
  if (proxy_header_ != nullptr) {
    input = proxy_header_->append(input);
  }
  const auto parsed = codec::http1::parse_proxy_header(input);
  if (!parsed) {
    table().shard().stats().count_parse_error(parsed.error().code);
    close();
    return false;
  }
  if (parsed->consumed == 0) {
    if (proxy_header_ == nullptr) {
      proxy_header_ = std::make_unique<std::string>(input);
    }
    return false;
  }
  data.remove_prefix(parsed->consumed - before);
  proxy_header_.reset();
  if (!parsed->local) {
    peer_.set(net::Address::from_ip(parsed->source.ip(), parsed->source.port),
              filter::ClientIpSource::kProxyProtocol);
  }
  state_ = State::kProtocol;
  return true;
}

void Opening::process_protocol(buffer::Slice&& data) noexcept {
  const bool http2 = listener().runtime->config->speaks(config::Protocol::kHttp2);
  if (!listener().runtime->config->speaks(config::Protocol::kHttp1)) {
    hand_over(true, std::move(data));  // the preface is checked there
    return;
  }
  const std::string_view wanted = kClientPreface.substr(preface_bytes_);
  const size_t common = std::min(wanted.size(), data.view().size());
  if (!http2 || wanted.substr(0, common) != data.view().substr(0, common)) {
    hand_over(false, std::move(data));
  } else if (common == wanted.size()) {
    hand_over(true, std::move(data));
  } else {
    preface_bytes_ += common;
  }
}

void Opening::hand_over(bool http2, buffer::Slice&& data) noexcept {
  SessionTable& sessions = table();
  std::unique_ptr<Session> session;
  if (http2) {
    session = std::make_unique<Http2Session>(sessions, listener(), std::move(connection_), peer_);
  } else {
    session = std::make_unique<Http1Session>(sessions, listener(), std::move(connection_), peer_);
  }
  if (draining_) {
    session->drain();
  }
  const size_t seen = preface_bytes_;
  state_ = State::kClosed;
  timer_.disarm();
  sessions.replace(*this, std::move(session),
                   buffer::Slice{{}, kClientPreface.data(), static_cast<uint32_t>(seen)},
                   std::move(data));
}

void Opening::on_timeout() noexcept {
  // A loop that was held up meets its timers before it has received everything.
  if (connection_->input_waiting()) {
    timer_.arm(table().loop().timers(), kArrivedGrace);
  } else {
    close();
  }
}

void Opening::on_end() noexcept {
  close();
}

void Opening::on_error(Error) noexcept {
  close();
}

void Opening::drain() noexcept {
  draining_ = true;
  if (state_ != State::kClosed && !table().patient()) {
    timer_.arm(table().loop().timers(), kDrainGrace);
  }
}

void Opening::close() noexcept {
  if (std::exchange(state_, State::kClosed) != State::kClosed) {
    timer_.disarm();
    connection_.reset();
    table().bury(*this);
  }
}

}  // namespace hangu::downstream
