// Session: one client connection, whatever it speaks. Owned by its SessionTable, which alone
// destroys it, at the end of a loop turn. One shard.
#pragma once

#include "hangu/base/intrusive_list.h"
#include "hangu/buffer/block.h"
#include "hangu/filter/edge_rules.h"
#include "hangu/net/security_layer.h"

namespace hangu::downstream {

class SessionTable;
struct ListenerContext;

class Session : public ListNode<Session> {
 public:
  Session(SessionTable& table, ListenerContext& listener);
  virtual ~Session();

  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Starts reading. Of the connection's bytes `seen` and, behind them, `data` were received
  /// already; both may be empty.
  virtual void begin(buffer::Slice&& seen, buffer::Slice&& data) noexcept = 0;
  /// Answers what is in flight, tells the client that the connection ends, and ends it after that.
  virtual void drain() noexcept = 0;

  /// A tunnel that has been told to end by a word of its protocol; false: it is none, knows none,
  /// or has been told before.
  virtual bool say_goodbye(uint16_t /*code*/) noexcept { return false; }

  /// Whether say_goodbye() would.
  virtual bool can_say_goodbye() const noexcept { return false; }

  /// Whether it has had a request, and none is under way.
  virtual bool idle() const noexcept = 0;
  /// Ends the connection now; what is in flight is cut off.
  virtual void close() noexcept = 0;

  /// Bytes that wait for the client, and those that its connection has taken so far.
  virtual size_t held_bytes() noexcept = 0;
  virtual uint64_t sent_bytes() const noexcept = 0;

  /// It is over, or another has taken its place: its listener counts it no more.
  void uncount() noexcept;

  /// What the client took since the last call, and what waits for it.
  struct Progress {
    uint64_t taken = 0;
    size_t held = 0;
  };

  Progress progress() noexcept;

  bool belongs_to(const ListenerContext& listener) const { return &listener == &listener_; }

 protected:
  SessionTable& table() const { return table_; }

  ListenerContext& listener() const { return listener_; }

  /// `security` may be null.
  static filter::TlsView tls_view(const net::SecurityLayer* security) noexcept;

 private:
  SessionTable& table_;
  ListenerContext& listener_;
  uint64_t sent_mark_ = 0;
  bool counted_ = true;
};

}  // namespace hangu::downstream
