// Relay: two connections whose bytes go to each other, until both directions have ended: back-
// pressure, half-close, an idle time, and an end to a client that takes nothing. A few dozen bytes
// beside the connections, and nothing of theirs waits in it. Owned by its handler; one thread. It
// knows nothing of what the bytes mean.
#pragma once

#include <cstdint>

#include "hangu/base/clock.h"
#include "hangu/base/error.h"
#include "hangu/event/loop.h"
#include "hangu/event/timer.h"
#include "hangu/net/connection.h"

namespace hangu::net {

/// A connection that is given away, and what it received that nobody has taken yet.
struct RelayEnd {
  ConnectionPtr connection;
  buffer::Slice received;
};

enum class RelayOutcome : uint8_t {
  kDone,         // both directions have ended
  kClientBroke,  // its connection failed
  kServerBroke,
  kIdle,   // nothing moved in time
  kStuck,  // the client took nothing in time
};

class RelayHandler {
 public:
  /// These bytes come next; how many of them the client may have, all but before
  /// Relay::end_to_client().
  virtual size_t on_relaying_to_client(std::string_view bytes) noexcept { return bytes.size(); }

  virtual void on_relayed_to_client(size_t bytes) noexcept = 0;
  /// Once, last: both connections have been let go of, to send what is queued where somebody may
  /// still read it. `error`: of the connection that failed.
  virtual void on_relay_end(RelayOutcome outcome, const Error& error) noexcept = 0;

 protected:
  ~RelayHandler() = default;
};

/// Zero: without limit.
struct RelayLimits {
  Duration idle{};
  Duration write_idle{};  // in which the client has to take something of what waits for it
};

class Relay final : private event::Timer {
 public:
  Relay(event::Loop& loop, RelayHandler& handler, const RelayLimits& limits);
  ~Relay() override;

  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  void begin(RelayEnd client, RelayEnd server) noexcept;
  /// The client gets `last` and nothing more; what it still says goes to the server. Unless both
  /// directions end by themselves, that is the end after `at_most`, with kDone.
  void end_to_client(std::string_view last, Duration at_most) noexcept;
  /// Lets both connections go, with what is queued; the handler hears nothing more.
  void close() noexcept;

  uint64_t bytes_from_client() const { return client_.bytes; }

  uint64_t bytes_to_client() const { return server_.bytes; }

  bool client_ended() const { return client_.ended; }

  /// Bytes that wait for the client, and those that its connection has taken since it began.
  size_t held_bytes() const;
  uint64_t sent_bytes() const;

  bool ending() const { return ends_at_ != TimePoint::max(); }

 private:
  struct Side final : ConnectionHandler {
    explicit Side(Relay& relay)
        : owner(relay) {}

    void on_connected(Result<void>) noexcept override {}

    void on_data(buffer::Slice data) noexcept override { owner.pass(*this, std::move(data)); }

    void on_end() noexcept override { owner.end(*this); }

    void on_error(Error error) noexcept override { owner.fail(*this, error); }

    void on_writable() noexcept override { owner.resume(*this); }

    void on_flushed() noexcept override {}

    Relay& owner;
    ConnectionPtr connection;
    uint64_t bytes = 0;  // that came from it
    bool ended = false;  // it sends no more
  };

  Side& other(const Side& side) { return &side == &client_ ? server_ : client_; }

  void pass(Side& from, buffer::Slice&& data) noexcept;
  void end(Side& from) noexcept;
  void fail(const Side& side, const Error& error) noexcept;
  void resume(const Side& writable) noexcept;
  void moved(bool to_client) noexcept;
  void arm_next() noexcept;
  void on_timer() noexcept override;
  bool client_is_stuck() noexcept;
  void finish(RelayOutcome outcome, const Error& error) noexcept;

  event::Loop& loop_;
  RelayHandler& handler_;
  RelayLimits limits_;
  TimePoint moved_at_;
  TimePoint check_at_;     // when the client is looked after, while `watching_`
  uint64_t progress_ = 0;  // what the client had acknowledged at the last check
  Side client_;
  Side server_;
  TimePoint ends_at_ = TimePoint::max();  // after end_to_client()
  bool watching_ = false;                 // something was written to the client
};

}  // namespace hangu::net
