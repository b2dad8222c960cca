#include "hangu/net/relay.h"

#include <algorithm>
#include <utility>

namespace hangu::net {

Relay::Relay(event::Loop& loop, RelayHandler& handler, const RelayLimits& limits)
    : loop_(loop),
      handler_(handler),
      limits_(limits),
      client_(*this),
      server_(*this) {}

Relay::~Relay() {
  disarm();
}

void Relay::begin(RelayEnd client, RelayEnd server) noexcept {
  client_.connection = std::move(client.connection);
  server_.connection = std::move(server.connection);
  moved_at_ = loop_.now();
  for (Side* side : {&client_, &server_}) {
    side->connection->set_handler(side);
    side->connection->limit_receive(0);
    side->connection->resume_reading();
  }
  pass(client_, std::move(client.received));
  pass(server_, std::move(server.received));
  arm_next();
}

void Relay::close() noexcept {
  disarm();
  client_.connection.reset();
  server_.connection.reset();
}

size_t Relay::held_bytes() const {
  return client_.connection != nullptr ? client_.connection->queued_bytes() : 0;
}

uint64_t Relay::sent_bytes() const {
  return client_.connection != nullptr ? client_.connection->bytes_sent() : 0;
}

void Relay::end_to_client(std::string_view last, Duration at_most) noexcept {
  client_.connection->write_copy(last);
  ends_at_ = loop_.now() + at_most;
  arm_next();
}

void Relay::pass(Side& from, buffer::Slice&& data) noexcept {
  Side& to = other(from);
  if (&to == &client_) {
    data.size = ending() ? 0 : static_cast<uint32_t>(handler_.on_relaying_to_client(data.view()));
  }
  const size_t bytes = data.size;
  from.bytes += bytes;
  if (bytes != 0) {
    to.connection->write(std::move(data));
  }
  if (to.connection->congested()) {
    from.connection->pause_reading();
  }
  moved(&to == &client_);
  if (&to == &client_) {
    handler_.on_relayed_to_client(bytes);
  }
}

void Relay::resume(const Side& writable) noexcept {
  moved(false);
  other(writable).connection->resume_reading();
}

void Relay::end(Side& from) noexcept {
  from.ended = true;
  Side& to = other(from);
  if (to.ended) {
    finish(RelayOutcome::kDone, {});
  } else {
    to.connection->shutdown_write();
  }
}

void Relay::fail(const Side& side, const Error& error) noexcept {
  finish(&side == &client_ ? RelayOutcome::kClientBroke : RelayOutcome::kServerBroke, error);
}

void Relay::finish(RelayOutcome outcome, const Error& error) noexcept {
  // Unread bytes of the client would make the kernel reset what is still on its way to it.
  const bool unread = server_.connection->congested();
  const bool client_reads =
      outcome != RelayOutcome::kClientBroke && outcome != RelayOutcome::kStuck;
  if (client_reads) {
    client_.connection->set_handler(nullptr);
    close_after_flush(std::move(client_.connection), unread);
  }
  if (outcome == RelayOutcome::kDone) {
    server_.connection->set_handler(nullptr);
    close_after_flush(std::move(server_.connection), false);
  }
  close();
  handler_.on_relay_end(outcome, error);
}

// --- time -------------------------------------------------------------------------------------

/// A message costs the writing of a time; the timer looks at it when it fires.
void Relay::moved(bool to_client) noexcept {
  moved_at_ = loop_.now();
  if (to_client && !watching_ && limits_.write_idle != Duration::zero()) {
    watching_ = true;
    check_at_ = moved_at_ + limits_.write_idle;
    arm_next();
  }
}

void Relay::arm_next() noexcept {
  TimePoint next = TimePoint::max();
  if (limits_.idle != Duration::zero()) {
    next = moved_at_ + limits_.idle;
  }
  if (watching_) {
    next = std::min(next, check_at_);
  }
  next = std::min(next, ends_at_);
  if (next != TimePoint::max()) {
    arm(loop_.timers(), next - loop_.now());
  }
}

void Relay::on_timer() noexcept {
  const TimePoint now = loop_.now();
  if (now >= ends_at_) {
    finish(RelayOutcome::kDone, {});
    return;
  }
  if (limits_.idle != Duration::zero() && now - moved_at_ >= limits_.idle) {
    finish(RelayOutcome::kIdle, {});
    return;
  }
  if (watching_ && now >= check_at_) {
    if (client_is_stuck()) {
      finish(RelayOutcome::kStuck, {});
      return;
    }
    watching_ = !client_.connection->write_idle();
    check_at_ = now + limits_.write_idle;
  }
  arm_next();
}

/// Whether bytes wait for the client and none has been acknowledged since the last check.
bool Relay::client_is_stuck() noexcept {
  if (client_.connection->write_idle()) {
    progress_ = 0;
    return false;
  }
  const uint64_t progress = client_.connection->send_progress();
  const bool stuck = progress_ != 0 && progress == progress_;
  progress_ = progress;
  return stuck;
}

}  // namespace hangu::net
