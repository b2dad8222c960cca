#include "hangu/upstream/connecting.h"

#include <cerrno>
#include <utility>

#include "hangu/upstream/endpoint.h"

namespace hangu::upstream {

Connecting::Connecting(Endpoint& endpoint)
    : Connection(endpoint),
      timer_(*this) {}

void Connecting::begin() noexcept {
  Shared& shared = endpoint().shared();
  timer_.arm(shared.loop.timers(), endpoint().cluster_config().connect_timeout);
  connection_ =
      net::Connection::connect(shared.loop, shared.small_blocks, endpoint().address(), *this);
  if (connection_ == nullptr) {
    fail(upstream_error(Errc::kConnectFailed, "no socket for the upstream", errno));
    return;
  }
  if (std::unique_ptr<net::SecurityLayer> security = endpoint().make_security()) {
    connection_->secure(std::move(security));
  }
  connection_->set_watermarks(shared.write_high_watermark, shared.write_low_watermark);
}

void Connecting::on_connected(Result<void> result) noexcept {
  if (!result) {
    fail(result.error());
    return;
  }
  closed_ = true;
  timer_.disarm();
  endpoint().connected(*this, std::move(connection_));
}

void Connecting::on_data(buffer::Slice) noexcept {
  fail(upstream_error(Errc::kUnexpectedData, "the upstream speaks before it is asked"));
}

void Connecting::on_end() noexcept {
  fail(upstream_error(Errc::kReset, "the upstream closed the new connection"));
}

void Connecting::on_error(Error error) noexcept {
  fail(error);
}

void Connecting::on_timeout() noexcept {
  fail(upstream_error(Errc::kConnectTimeout, "upstream connect timed out"));
}

void Connecting::fail(Error error) noexcept {
  error.side = Side::kUpstream;
  error.retry = Retry::kSafe;
  if (error.code != Errc::kConnectTimeout && error.code != Errc::kTlsHandshake &&
      error.code != Errc::kTlsCertificate) {
    error.code = Errc::kConnectFailed;
  }
  close();
  endpoint().connect_failed(error);
}

void Connecting::close() noexcept {
  if (!std::exchange(closed_, true)) {
    timer_.disarm();
    connection_.reset();
    endpoint().remove(*this);
  }
}

/// Whoever waits still gets its answer; the connection ends after that.
void Connecting::retire() noexcept {}

}  // namespace hangu::upstream
