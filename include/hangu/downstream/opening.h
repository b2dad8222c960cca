// Opening: a client connection until it is known what it speaks: takes the PROXY protocol header
// where one is due, then TLS's handshake, which says what follows; without TLS it tells HTTP/2 with
// prior knowledge (RFC 9113 §3.3) from HTTP/1.1 by the first
// bytes, and hands the connection over to the session in question.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "hangu/codec/http1/proxy_protocol.h"
#include "hangu/downstream/peer.h"
#include "hangu/downstream/session.h"
#include "hangu/event/timer.h"
#include "hangu/net/connection.h"

namespace hangu::downstream {

class Opening final : public Session, private net::ConnectionHandler {
 public:
  Opening(SessionTable& table, ListenerContext& listener, net::ConnectionPtr connection,
          const net::Address& peer);

  void begin(buffer::Slice&& seen, buffer::Slice&& data) noexcept override;
  void drain() noexcept override;

  bool idle() const noexcept override { return false; }

  void close() noexcept override;

  size_t held_bytes() noexcept override { return 0; }

  uint64_t sent_bytes() const noexcept override { return 0; }

 private:
  enum class State : uint8_t { kProxyHeader, kHandshake, kProtocol, kClosed };

  struct OpeningTimer final : event::Timer {
    explicit OpeningTimer(Opening& opening)
        : owner(opening) {}

    void on_timer() noexcept override { owner.on_timeout(); }

    Opening& owner;
  };

  void on_connected(Result<void> result) noexcept override;

  void on_data(buffer::Slice data) noexcept override;
  void on_end() noexcept override;
  void on_error(Error error) noexcept override;

  void on_writable() noexcept override {}

  void on_flushed() noexcept override {}

  void on_timeout() noexcept;
  bool process_proxy_header(buffer::Slice& data) noexcept;
  void begin_handshake(buffer::Slice&& received) noexcept;
  void process_protocol(buffer::Slice&& data) noexcept;
  void hand_over(bool http2, buffer::Slice&& data) noexcept;

  net::ConnectionPtr connection_;
  OpeningTimer timer_;
  Peer peer_;
  std::unique_ptr<std::string> proxy_header_;  // the beginning of one that came in pieces
  size_t preface_bytes_ = 0;                   // of the client preface that have come
  State state_ = State::kProtocol;
  bool draining_ = false;
};

}  // namespace hangu::downstream
