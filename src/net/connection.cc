#include "hangu/net/connection.h"

#include <linux/tcp.h>  // its tcp_info is newer than that of <netinet/tcp.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <utility>

namespace hangu::net {
namespace {

constexpr size_t kVectorMax = 64;
// What one send takes; it ends with the piece that reaches this.
constexpr size_t kSendBytesMax = 1024 * 1024;
// How long, and for how many bytes, a closed exchange still reads what the peer sends.
constexpr Duration kLingerTime = std::chrono::seconds(1);
constexpr uint32_t kLingerBytesMax = 256 * 1024;
// After letting go, a peer must take something in each of these intervals.
constexpr Duration kFlushCheckInterval = std::chrono::seconds(10);
// Most endings never come to their first check: the kernel is not asked before it.
constexpr uint64_t kProgressUnknown = UINT64_MAX;
// When sending fails, what the peer sent before it closed is still worth reading; it is here
// already.
constexpr Duration kLastBytesTime = std::chrono::milliseconds(100);
// What one splice moves, and so what a slow peer holds in the kernel besides its socket buffer.
constexpr size_t kSpliceBytesMax = 256 * 1024;
// Memory for held slices beyond this goes back when they are delivered.
constexpr size_t kHeldKeep = 16;
// Bytes of records that may wait for the socket.
constexpr size_t kSecuredBytesMax = 64 * 1024;

}  // namespace

void ConnectionDeleter::operator()(Connection* connection) const noexcept {
  connection->handler_ = nullptr;
  connection->close();
}

Connection::Connection(event::Loop& loop, buffer::BlockPool& small)
    : loop_(loop),
      queue_(small) {}

ConnectionPtr Connection::adopt(event::Loop& loop, buffer::BlockPool& small, int fd) {
  ConnectionPtr connection(new Connection(loop, small));
  connection->socket_ = loop.open(fd, *connection);
  return connection;
}

ConnectionPtr Connection::connect(event::Loop& loop, buffer::BlockPool& small,
                                  const Address& address, ConnectionHandler& handler) {
  const int fd = ::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    return nullptr;
  }
  if (!address.is_unix()) {
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  ConnectionPtr connection = adopt(loop, small, fd);
  connection->handler_ = &handler;
  connection->connecting_ = true;
  connection->reading_ = true;
  loop.connect(connection->socket_, address.data(), address.size());
  return connection;
}

void Connection::on_connect(int error) noexcept {
  connecting_ = false;
  if (error != 0) {
    broken_ = true;
    if (handler_ != nullptr) {
      handler_->on_connected(
          hangu::fail(upstream_error(Errc::kConnectFailed, "connect failed", error)));
    }
    return;
  }
  if (reading_) {
    loop_.start_receive(socket_);
  }
  if (security_ != nullptr) {
    advance_security();
    return;
  }
  if (!output_empty()) {
    schedule();
  }
  if (handler_ != nullptr) {
    handler_->on_connected({});
  }
}

// --- security ---------------------------------------------------------------------------------

void Connection::secure(std::unique_ptr<SecurityLayer> layer, buffer::Slice&& received) {
  HANGU_ASSERT(security_ == nullptr && output_empty());
  security_ = std::move(layer);
  handshake_ = std::make_unique<Handshake>(*this);
  if (received.size != 0) {
    held_.insert(held_.begin(), std::move(received));
    loop_.schedule_flush(*this);  // not from within this call
  }
}

void Connection::deliver(buffer::Slice&& slice) {
  if (security_ == nullptr) {
    handler_->on_data(std::move(slice));
  } else {
    security_->feed(std::move(slice));
    advance_security();
  }
}

void Connection::advance_security() {
  if (handshake_ != nullptr && handler_ != nullptr) {
    loop_.queue_costly(*handshake_);
  } else {
    drain_security();
  }
}

void Connection::continue_handshake() noexcept {
  drain_security();
  if (receive_ended_ && !end_delivered_ && handler_ != nullptr) {
    loop_.schedule_flush(*this);
  }
}

/// Hands out what the security layer has, until it has no more or the handler wants no more.
void Connection::drain_security() {
  using Event = SecurityLayer::Event;
  while (handler_ != nullptr && !closed_ && (reading_ || !security_->established())) {
    buffer::Slice data;
    switch (security_->next(data, queue_)) {
      case Event::kNone:
        if (!queue_.empty()) {
          schedule();
        }
        return;
      case Event::kData: handler_->on_data(std::move(data)); break;
      case Event::kEstablished:
        handshake_.reset();
        schedule();
        handler_->on_connected({});
        break;
      case Event::kEnd:
        peer_said_goodbye_ = true;
        receive_ended_ = true;
        deliver_end();
        return;
      case Event::kFailed: {
        const Error error = security_->error();
        const bool established = security_->established();
        if (!queue_.empty()) {
          schedule();  // an alert for the peer
        }
        if (!established) {
          handler_->on_connected(hangu::fail(error));
        } else {
          report(error.sys_errno, error.detail);
        }
        return;
      }
    }
  }
}

/// Turns what waits into records, not far ahead of the socket: what is secured cannot be dropped or
/// overtaken any more. False when that failed.
bool Connection::secure_output() {
  if (security_ == nullptr || security_->plain().empty() || queue_.bytes() >= kSecuredBytesMax) {
    return true;
  }
  return security_->secure(queue_, kSecuredBytesMax, loop_.now().time_since_epoch().count());
}

/// Behind the last byte of a secured connection; true when there is something to send.
bool Connection::say_goodbye() {
  if (security_ == nullptr || goodbye_said_ || !security_->established() || broken_) {
    return false;
  }
  goodbye_said_ = true;
  security_->end(queue_);
  if (queue_.empty()) {
    return false;
  }
  loop_.schedule_flush(*this);
  return true;
}

// --- writing ----------------------------------------------------------------------------------

void Connection::write(buffer::Slice&& slice) {
  if (!broken_ && !shutdown_wanted_) {
    output().append(std::move(slice));
    queued_more();
  }
}

void Connection::write_copy(std::string_view bytes) {
  if (!broken_ && !shutdown_wanted_) {
    output().append_copy(bytes);
    queued_more();
  }
}

void Connection::write_static(std::string_view bytes) {
  if (!broken_ && !shutdown_wanted_) {
    output().append_static(bytes);
    queued_more();
  }
}

void Connection::queued_more() {
  if (output().bytes() > loop_.bounded(high_watermark_)) {
    congested_ = true;
  }
  schedule();
}

void Connection::schedule() {
  if (!sending_ && !connecting_) {
    loop_.schedule_flush(*this);
  }
}

void Connection::flush() noexcept {
  if (reading_ && (!held_.empty() || (receive_ended_ && !end_delivered_) || security_pending())) {
    deliver_held();
  }
  if (splice_to_ != nullptr && readable_ && reading_) {
    pull();
  }
  if (!closed_ && !broken_ && !sending_ && !connecting_ && !output_empty()) {
    send_queued();
  }
}

void Connection::send_queued() {
  for (;;) {
    if (!sending_ && !secure_output()) {
      const Error error = security_->error();
      report(error.sys_errno, error.detail);
      return;
    }
    if (sending_ || (queue_.empty() && pipe_ == nullptr)) {
      break;
    }
    const event::SendResult result = send_some();
    if (result.error != 0) {
      fail_send(result.error);
      return;
    }
    bytes_sent_ += result.bytes;
    sending_ = result.pending;
  }
  after_send();
}

event::SendResult Connection::send_some() {
  if (pipe_ != nullptr) {
    const event::SendResult result = loop_.send_from(socket_, *pipe_);
    if (pipe_->bytes() == 0) {
      loop_.pipes().release(std::move(pipe_));
    }
    return result;
  }
  iovec vector[kVectorMax];
  const auto filled = queue_.fill(vector, kVectorMax, kSendBytesMax);
  const event::SendResult result = loop_.send(socket_, vector, filled.count);
  queue_.consume(result.bytes);
  return result;
}

void Connection::drop_output() {
  queue_.clear();
  if (security_ != nullptr) {
    security_->plain().clear();
  }
  if (pipe_ != nullptr) {
    loop_.pipes().release(std::move(pipe_));
  }
}

void Connection::on_send(int error, size_t bytes) noexcept {
  sending_ = false;
  if (broken_) {
    drop_output();
    return;
  }
  queue_.consume(bytes);
  bytes_sent_ += bytes;
  if (error != 0) {
    fail_send(error);
    return;
  }
  if (!output_empty()) {
    schedule();
  }
  after_send();
}

void Connection::after_send() {
  if (output_empty() && shutdown_wanted_ && !say_goodbye()) {
    send_fin();
  }
  if (ending_ != Ending::kNone) {
    if (output_empty() && !say_goodbye()) {
      start_ending(ending_);
    }
    return;
  }
  if (splice_from_ != nullptr && write_idle()) {
    loop_.schedule_flush(*splice_from_);
  }
  if (congested_ && output().bytes() <= loop_.bounded(low_watermark_)) {
    congested_ = false;
    if (handler_ != nullptr) {
      handler_->on_writable();
    }
  }
  if (!closed_ && handler_ != nullptr && write_idle()) {
    handler_->on_flushed();
  }
}

void Connection::shutdown_write() {
  shutdown_wanted_ = true;
  if (write_idle() && !connecting_ && !broken_ && !say_goodbye()) {
    send_fin();
  }
}

void Connection::send_fin() {
  if (!shutdown_done_) {
    shutdown_done_ = true;
    loop_.shutdown_send(socket_);
  }
}

uint64_t Connection::send_progress() const {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (getsockopt(fd(), IPPROTO_TCP, TCP_INFO, &info, &size) == 0 &&
      size >= offsetof(tcp_info, tcpi_bytes_acked) + sizeof info.tcpi_bytes_acked) {
    return info.tcpi_bytes_acked + 1;
  }
  int unsent = 0;
  ioctl(fd(), TIOCOUTQ, &unsent);
  return (uint64_t{1} << 40) + bytes_sent_ - static_cast<uint64_t>(unsent);
}

// --- reading ----------------------------------------------------------------------------------

bool Connection::input_waiting() const {
  int bytes = 0;
  return ioctl(fd(), FIONREAD, &bytes) == 0 && bytes > 0;
}

void Connection::on_receive(buffer::BlockRef block, uint32_t bytes) noexcept {
  bytes_received_ += bytes;
  if (ending_ != Ending::kNone) {
    lingered_bytes_ += bytes;
    if (lingered_bytes_ > kLingerBytesMax) {
      loop_.stop_receive(socket_);  // the peer must wait; the reply gets the rest of its time
    }
    return;
  }
  const char* data = block->data();
  buffer::Slice slice{std::move(block), data, bytes};
  const bool splicing = splice_to_ != nullptr;
  if (splicing) {
    leave_splice();  // they came before the kernel stopped receiving for us, and go first
  }
  if (!reading_ || !held_.empty()) {
    held_.push_back(std::move(slice));
  } else if (handler_ != nullptr) {
    deliver(std::move(slice));
  }
  if (splicing && splice_to_ == nullptr) {
    receive_again();
  }
}

void Connection::on_receive_end(int error) noexcept {
  receive_ended_ = true;
  end_error_ = error;
  if (ending_ != Ending::kNone) {
    if (ending_ == Ending::kLinger || error != 0) {
      close();
    }
    return;
  }
  // An error is told at once even while paused, unless there is something to be read before it.
  if (held_.empty() && !security_pending() && (reading_ || error != 0)) {
    deliver_end();
  }
}

void Connection::deliver_held() {
  std::vector<buffer::Slice> batch;
  batch.swap(held_);
  size_t done = 0;
  delivering_held_ = true;
  if (security_pending()) {
    advance_security();
  }
  while (done < batch.size() && reading_ && handler_ != nullptr) {
    deliver(std::move(batch[done++]));
  }
  delivering_held_ = false;
  if (closed_ || ending_ != Ending::kNone) {
    return;
  }
  batch.erase(batch.begin(), batch.begin() + static_cast<ptrdiff_t>(done));
  if (!batch.empty() || batch.capacity() <= kHeldKeep) {
    held_ = std::move(batch);
  }
  if (!reading_ || !held_.empty() || security_pending()) {
    return;
  }
  if (receive_ended_) {
    deliver_end();
  } else if (splice_to_ == nullptr) {
    loop_.start_receive(socket_);
  }
}

void Connection::deliver_end() {
  if (std::exchange(end_delivered_, true)) {
    return;
  }
  if (end_error_ != 0) {
    report(end_error_, "receive failed");
    return;
  }
  if (security_ != nullptr && !peer_said_goodbye_) {
    deliver_truncation();
    return;
  }
  // The send took the socket's error: what looks like a FIN now is none, unless the peer had sent
  // one before (EPIPE).
  if (broken_ && send_error_ != EPIPE) {
    report(send_error_, "send failed");
    return;
  }
  if (handler_ != nullptr) {
    handler_->on_end();
  }
  if (broken_ && !closed_ && ending_ == Ending::kNone) {
    report(send_error_, "send failed");
  }
}

/// A FIN that the security layer knows nothing of may come from anybody on the way.
void Connection::deliver_truncation() {
  if (!security_->established()) {
    if (handler_ != nullptr) {
      handler_->on_connected(hangu::fail(Error{Errc::kTlsHandshake, Side::kInternal, Retry::kNever,
                                               0, "closed in the handshake"}));
    }
    return;
  }
  report(0, "the connection ended without close_notify");
}

void Connection::pause_reading() {
  if (reading_) {
    reading_ = false;
    loop_.stop_receive(socket_);
  }
}

bool Connection::detach() {
  if (security_ != nullptr || splice_to_ != nullptr || receive_ended_ || !held_.empty()) {
    return false;
  }
  reading_ = false;
  detaching_ = !loop_.quiesce(socket_);
  return !detaching_;
}

void Connection::on_quiet() noexcept {
  if (!std::exchange(detaching_, false)) {
    return;
  }
  if (!held_.empty() || receive_ended_) {
    resume_reading();
  } else if (handler_ != nullptr) {
    handler_->on_detached();
  }
}

void Connection::resume_reading() {
  if (reading_ || closed_) {
    return;
  }
  reading_ = true;
  detaching_ = false;
  if (connecting_) {
    return;
  }
  if (!held_.empty() || (receive_ended_ && !end_delivered_) || splice_to_ != nullptr ||
      security_pending()) {
    loop_.schedule_flush(*this);  // not from within this call
  } else if (!receive_ended_) {
    loop_.start_receive(socket_);
  }
}

// --- past our memory --------------------------------------------------------------------------

void Connection::splice_to(Connection& to, uint64_t bytes) {
  const bool held = !held_.empty() || delivering_held_;  // it has to go first
  if (held || security_ != nullptr || to.security_ != nullptr || receive_ended_ || closed_ ||
      broken_ || to.broken_ || to.closed_ || to.splice_from_ != nullptr ||
      !loop_.pipes().available()) {
    return;
  }
  splice_to_ = &to;
  splice_left_ = bytes;
  to.splice_from_ = this;
  loop_.wait_readable(socket_, event::Waiting::kSome);
}

void Connection::on_readable() noexcept {
  if (splice_to_ != nullptr) {
    readable_ = true;
    loop_.schedule_flush(*this);
  }
}

/// Moves what there is to the other's pipe, once that has sent everything. One piece a turn: other
/// connections want theirs.
void Connection::pull() {
  Connection& to = *splice_to_;
  if (!to.write_idle() || to.connecting_) {
    return;  // it calls again
  }
  std::unique_ptr<event::Pipe> pipe = loop_.pipes().acquire();
  if (pipe == nullptr) {
    stop_splice();
    return;
  }
  readable_ = false;
  const ssize_t got =
      loop_.receive_into(socket_, *pipe, std::min<uint64_t>(splice_left_, kSpliceBytesMax));
  if (got > 0) {
    const auto bytes = static_cast<uint64_t>(got);
    bytes_received_ += bytes;
    splice_left_ -= bytes;
    to.pipe_ = std::move(pipe);
    to.schedule();
    if (splice_left_ == 0) {
      stop_splice();
    } else {
      const bool full = bytes == kSpliceBytesMax;
      loop_.wait_readable(socket_, full ? event::Waiting::kSome : event::Waiting::kMaybe);
    }
    if (handler_ != nullptr) {
      handler_->on_spliced(bytes);
    }
    return;
  }
  loop_.pipes().release(std::move(pipe));
  if (got == -EAGAIN) {
    loop_.wait_readable(socket_, event::Waiting::kNone);
    return;
  }
  const bool forbidden = got == -EINVAL || got == -ENOSYS || got == -EPERM || got == -EACCES;
  if (forbidden) {
    loop_.pipes().disable();
    stop_splice();
    return;
  }
  receive_ended_ = true;
  stop_splice();
  on_receive_end(static_cast<int>(-got));
}

void Connection::stop_splice() {
  leave_splice();
  receive_again();
}

void Connection::leave_splice() {
  splice_to_->splice_from_ = nullptr;
  splice_to_ = nullptr;
  splice_left_ = 0;
  readable_ = false;
}

void Connection::receive_again() {
  if (reading_ && !receive_ended_ && !closed_) {
    loop_.start_receive(socket_);
  }
}

// --- the end ----------------------------------------------------------------------------------

void Connection::fail_send(int error) {
  broken_ = true;
  send_error_ = error;
  drop_output();
  if (splice_from_ != nullptr) {
    splice_from_->stop_splice();
  }
  if (ending_ != Ending::kNone) {
    close();
  } else if (receive_ended_) {
    report(error, "send failed");
  } else {
    arm_end_timer(kLastBytesTime);
  }
}

void Connection::report(int error, const char* what) {
  broken_ = true;
  end_timer_.reset();
  if (!sending_) {
    drop_output();
  }
  if (splice_from_ != nullptr) {
    splice_from_->stop_splice();
  }
  if (!std::exchange(reported_, true) && handler_ != nullptr) {
    handler_->on_error(Error{Errc::kReset, Side::kInternal, Retry::kNever, error, what});
  }
}

void Connection::reset() {
  const linger option{.l_onoff = 1, .l_linger = 0};
  setsockopt(fd(), SOL_SOCKET, SO_LINGER, &option, sizeof option);
}

void close_after_flush(ConnectionPtr connection, bool linger) {
  using Ending = Connection::Ending;
  if (connection->broken_ || connection->connecting_) {
    return;  // the deleter closes it
  }
  Connection& kept = *connection.release();  // it frees itself when it is closed
  kept.handler_ = nullptr;
  kept.held_.clear();
  kept.reading_ = false;
  if (kept.splice_to_ != nullptr) {
    kept.stop_splice();
  }
  if (kept.splice_from_ != nullptr) {
    kept.splice_from_->stop_splice();
  }
  kept.loop_.stop_receive(kept.socket_);
  kept.loop_.keep_busy(1);
  kept.ending_ = linger ? Ending::kFlushThenLinger : Ending::kFlush;
  if (kept.write_idle() && !kept.say_goodbye()) {
    kept.start_ending(kept.ending_);
  } else {
    kept.last_progress_ = kProgressUnknown;
    kept.arm_end_timer(kFlushCheckInterval);
  }
}

/// Everything queued has left.
void Connection::start_ending(Ending ending) {
  if (ending == Ending::kLinger) {
    return;
  }
  if (ending == Ending::kFlush || receive_ended_) {
    close();
    return;
  }
  ending_ = Ending::kLinger;
  lingered_bytes_ = 0;
  send_fin();
  arm_end_timer(kLingerTime);
  loop_.start_receive(socket_);
}

void Connection::arm_end_timer(Duration delay) {
  if (end_timer_ == nullptr) {
    end_timer_ = std::make_unique<EndTimer>(*this);
  }
  end_timer_->arm(loop_.timers(), delay);
}

void Connection::on_end_timer() {
  if (ending_ == Ending::kNone) {
    report(send_error_, "send failed");
    return;
  }
  const uint64_t progress = ending_ == Ending::kLinger ? last_progress_ : send_progress();
  if (progress == last_progress_) {
    close();
  } else {
    last_progress_ = progress;
    arm_end_timer(kFlushCheckInterval);
  }
}

void Connection::close() {
  if (std::exchange(closed_, true)) {
    return;
  }
  if (ending_ != Ending::kNone) {
    loop_.keep_busy(-1);
  }
  reading_ = false;
  handler_ = nullptr;
  if (splice_to_ != nullptr) {
    stop_splice();
  }
  if (splice_from_ != nullptr) {
    splice_from_->stop_splice();
  }
  if (pipe_ != nullptr) {
    loop_.pipes().release(std::move(pipe_));
  }
  end_timer_.reset();
  handshake_.reset();
  held_.clear();
  event::FlushHandler::unlink();
  loop_.close(socket_);
}

void Connection::on_closed() noexcept {
  delete this;
}

Address Connection::peer_address() const {
  return net::peer_address(fd());
}

}  // namespace hangu::net
