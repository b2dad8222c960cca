// Connection: a byte stream over one socket of a loop: received bytes go to its handler, written
// bytes wait in an output queue and leave together at the end of the turn. Above the high watermark
// it is congested until the queue fell below the low one; a paused connection keeps what was
// already on its way in order. With a SecurityLayer what the handler sees and writes is plaintext.
// Owned through ConnectionPtr, whose end closes the socket; the loop
// frees the object when the kernel is done with it. One thread. It knows nothing of HTTP.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "hangu/base/result.h"
#include "hangu/buffer/output_queue.h"
#include "hangu/event/loop.h"
#include "hangu/net/address.h"
#include "hangu/net/security_layer.h"

namespace hangu::net {

/// Calls come within a turn of the loop, never from within a call to the connection. The handler
/// may let the connection go in any of them; then no further call comes.
class ConnectionHandler {
 public:
  /// The connection was made, or could not be; with a security layer: its handshake is over.
  virtual void on_connected(Result<void> result) noexcept = 0;
  /// The slice may be kept.
  virtual void on_data(buffer::Slice data) noexcept = 0;

  /// After splice_to(): so many received bytes went there, in place of on_data().
  virtual void on_spliced(uint64_t /*bytes*/) noexcept {}

  /// The peer's FIN: no more data. Writing is still possible.
  virtual void on_end() noexcept = 0;
  /// The connection is broken; once. Bytes received before that were delivered first.
  virtual void on_error(Error error) noexcept = 0;
  /// No longer congested.
  virtual void on_writable() noexcept = 0;
  /// Everything written is in the kernel's hands.
  virtual void on_flushed() noexcept = 0;

  /// After detach(): the kernel reads for us no more, and nothing had come.
  virtual void on_detached() noexcept {}

 protected:
  ~ConnectionHandler() = default;
};

class Connection;

/// Below this copying costs less than splicing.
inline constexpr uint64_t kSpliceBytesMin = 32 * 1024;
/// What to receive of a message that will be spliced: its head and a bit more.
inline constexpr uint32_t kSpliceHeadBytes = 16 * 1024;

struct ConnectionDeleter {
  void operator()(Connection* connection) const noexcept;
};

using ConnectionPtr = std::unique_ptr<Connection, ConnectionDeleter>;

class Connection final : private event::SocketHandler, private event::FlushHandler {
 public:
  /// Takes over a connected, non-blocking socket. Reading starts with resume_reading().
  static ConnectionPtr adopt(event::Loop& loop, buffer::BlockPool& small, int fd);
  /// Begins to connect; the handler's on_connected follows, reading starts by itself. nullptr with
  /// errno when there is no socket to be had. What is written before goes out once connected.
  static ConnectionPtr connect(event::Loop& loop, buffer::BlockPool& small, const Address& address,
                               ConnectionHandler& handler);

  /// nullptr: nobody listens any more.
  void set_handler(ConnectionHandler* handler) { handler_ = handler; }

  void set_watermarks(size_t high, size_t low) {
    high_watermark_ = static_cast<uint32_t>(high);
    low_watermark_ = static_cast<uint32_t>(low);
  }

  /// Secures the connection from here on. Not while anything is queued. `received`: bytes that were
  /// handed out already and belong to the layer. The handler hears on_connected().
  void secure(std::unique_ptr<SecurityLayer> layer, buffer::Slice&& received = {});

  /// nullptr: the connection is not secured.
  const SecurityLayer* security() const { return security_.get(); }

  // What is written to a broken connection is dropped.
  void write(buffer::Slice&& slice);
  void write_copy(std::string_view bytes);
  /// `bytes` lives as long as the process.
  void write_static(std::string_view bytes);

  bool congested() const { return congested_; }

  size_t queued_bytes() const {
    return queue_.bytes() + (pipe_ != nullptr ? pipe_->bytes() : 0) +
           (security_ != nullptr ? security_->plain().bytes() : 0);
  }

  /// Whether nothing is queued or under way to the kernel.
  bool write_idle() const { return output_empty() && !sending_; }

  /// A number that grows when the peer acknowledges bytes (TCP), for telling slow from stuck.
  uint64_t send_progress() const;

  /// Whether the kernel holds bytes of the peer that were not received yet: closing now would throw
  /// them away and reset the connection. A system call.
  bool input_waiting() const;

  uint64_t bytes_received() const { return bytes_received_; }

  uint64_t bytes_sent() const { return bytes_sent_; }

  // Idempotent. What arrives while paused is kept and delivered, in order, before the end of the
  // turn that resumes.
  void pause_reading();
  void resume_reading();

  /// Stops reading so that the descriptor can go to another process with every byte that is still
  /// to come: true when it can at once; else on_detached() follows, unless something comes before,
  /// which is delivered: then reading goes on. resume_reading() takes it back.
  bool detach();

  /// Lets the next `bytes` received bytes go to `to`, behind what is queued there, without passing
  /// through our memory; on_spliced() counts them. As long as it lasts nobody else may write to
  /// `to`. It is over after them, or earlier, for any reason: then on_data() has the rest. A `to`
  /// that breaks or closes loses what it had not sent yet, as ever.
  void splice_to(Connection& to, uint64_t bytes);

  /// Whether the next spliced bytes wait for their target to send the ones before.
  bool splice_blocked() const { return splice_to_ != nullptr && !splice_to_->write_idle(); }

  /// What one receive may bring, 0: as much as there is. A hint.
  void limit_receive(uint32_t bytes) { loop_.limit_receive(socket_, bytes); }

  /// Sends FIN once the queue is empty.
  void shutdown_write();
  /// The close, which must follow, sends a reset instead of a FIN.
  void reset();

  Address peer_address() const;

  int fd() const { return loop_.fd(socket_); }

 private:
  friend struct ConnectionDeleter;
  friend void close_after_flush(ConnectionPtr connection, bool linger);

  /// What remains to be done after the owner let go.
  enum class Ending : uint8_t { kNone, kFlush, kFlushThenLinger, kLinger };

  /// Bounds what has no bound otherwise: an ending, and the wait for a broken connection's last
  /// bytes.
  struct EndTimer final : event::Timer {
    explicit EndTimer(Connection& connection)
        : owner(connection) {}

    void on_timer() noexcept override { owner.on_end_timer(); }

    Connection& owner;
  };

  /// A handshake waits for its share of the turn; exists as long as it is not over.
  struct Handshake final : event::Costly {
    explicit Handshake(Connection& connection)
        : owner(connection) {}

    void run_costly() noexcept override { owner.continue_handshake(); }

    Connection& owner;
  };

  Connection(event::Loop& loop, buffer::BlockPool& small);
  ~Connection() = default;

  // event::SocketHandler
  void on_receive(buffer::BlockRef block, uint32_t bytes) noexcept override;
  void on_receive_end(int error) noexcept override;
  void on_send(int error, size_t bytes) noexcept override;
  void on_connect(int error) noexcept override;
  void on_readable() noexcept override;
  void on_quiet() noexcept override;
  void on_closed() noexcept override;
  // event::FlushHandler
  void flush() noexcept override;

  bool output_empty() const {
    return queue_.empty() && pipe_ == nullptr &&
           (security_ == nullptr || security_->plain().empty());
  }

  buffer::OutputQueue& output() { return security_ != nullptr ? security_->plain() : queue_; }

  void deliver(buffer::Slice&& slice);
  void advance_security();
  void continue_handshake() noexcept;
  void drain_security();
  bool secure_output();
  bool say_goodbye();
  void deliver_truncation();

  bool security_pending() const { return security_ != nullptr && security_->pending(); }

  void queued_more();
  void schedule();
  void deliver_held();
  void deliver_end();
  void pull();
  void stop_splice();
  void leave_splice();
  void receive_again();
  void send_queued();
  event::SendResult send_some();
  void drop_output();
  void after_send();
  void send_fin();
  void fail_send(int error);
  void report(int error, const char* what);
  void start_ending(Ending ending);
  void arm_end_timer(Duration delay);
  void on_end_timer();
  void close();

  event::Loop& loop_;
  ConnectionHandler* handler_ = nullptr;
  buffer::OutputQueue queue_;
  std::vector<buffer::Slice> held_;  // received while paused, or while earlier bytes were held
  std::unique_ptr<EndTimer> end_timer_;
  std::unique_ptr<SecurityLayer> security_;
  std::unique_ptr<Handshake> handshake_;
  std::unique_ptr<event::Pipe> pipe_;  // not empty; goes out before the queue
  Connection* splice_to_ = nullptr;
  Connection* splice_from_ = nullptr;  // who splices to us
  uint64_t splice_left_ = 0;
  uint64_t bytes_received_ = 0;
  uint64_t bytes_sent_ = 0;
  uint64_t last_progress_ = 0;
  event::SocketId socket_ = 0;
  uint32_t high_watermark_ = 256 * 1024;
  uint32_t low_watermark_ = 64 * 1024;
  uint32_t lingered_bytes_ = 0;
  int end_error_ = 0;   // of receiving
  int send_error_ = 0;  // valid while broken_
  Ending ending_ = Ending::kNone;
  bool connecting_ = false;
  bool reading_ = false;
  bool detaching_ = false;
  bool receive_ended_ = false;  // the peer's FIN or an error came, maybe not delivered yet
  bool end_delivered_ = false;
  bool delivering_held_ = false;
  bool readable_ = false;  // there is something to splice, as far as we know
  bool sending_ = false;
  bool congested_ = false;
  bool shutdown_wanted_ = false;
  bool shutdown_done_ = false;
  bool goodbye_said_ = false;  // by the security layer
  bool peer_said_goodbye_ = false;
  bool broken_ = false;    // nothing can be sent any more
  bool reported_ = false;  // on_error was called
  bool closed_ = false;
};

/// Lets go of a connection that closes itself after what is queued has left; it gives up when the
/// peer takes nothing for a while. `linger`: it sends FIN and reads on for a moment, so that bytes
/// the peer still sends do not reset the reply on its way (RFC 9112 §9.6).
void close_after_flush(ConnectionPtr connection, bool linger);

}  // namespace hangu::net
