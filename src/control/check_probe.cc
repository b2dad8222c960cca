#include "control/check_probe.h"

#include <array>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

#include "hangu/control/process.h"
#include "hangu/http/host.h"

namespace hangu::control {
namespace {

namespace asio = boost::asio;
using asio::generic::stream_protocol;
using boost::system::error_code;
using Event = net::SecurityLayer::Event;

constexpr auto kUseResult = asio::as_tuple(asio::use_awaitable);

/// The name that a certificate must bear.
std::string server_name_of(const ProbeTarget& target) {
  if (!target.server_name.empty()) {
    return target.server_name;
  }
  const auto authority = http::parse_authority(target.host);
  std::string name = authority ? std::string(authority->host) : target.host;
  if (name.size() > 2 && name.front() == '[') {
    name = name.substr(1, name.size() - 2);
  }
  return name;
}

class Probe : public std::enable_shared_from_this<Probe> {
 public:
  Probe(asio::io_context& context, std::shared_ptr<ProbeMemory> memory, ProbeTarget target)
      : memory_(std::move(memory)),
        target_(std::move(target)),
        socket_(context),
        timer_(context) {}

  void limit_time() {
    timer_.expires_after(target_.check.timeout);
    timer_.async_wait([self = shared_from_this()](error_code error) {
      if (!error) {
        self->timed_out_ = true;
        self->close();
      }
    });
  }

  asio::awaitable<CheckVerdict> run() {
    CheckVerdict verdict = co_await ask();
    timer_.cancel();
    close();
    if (timed_out_ && !verdict.good) {
      verdict.reason = "timeout: " + std::string(stage_);
    }
    co_return verdict;
  }

 private:
  asio::awaitable<CheckVerdict> ask() {
    const stream_protocol::endpoint endpoint(target_.address.data(), target_.address.size());
    const auto [error] = co_await socket_.async_connect(endpoint, kUseResult);
    if (error) {
      co_return CheckVerdict{false, "no connection: " + error.message()};
    }
    bool http2 = target_.protocol == config::UpstreamProtocol::kHttp2;
    if (target_.tls != nullptr) {
      stage_ = "TLS handshake";
      if (!co_await shake_hands()) {
        co_return CheckVerdict{false, fmt::format("TLS: {}", tls_error())};
      }
      http2 = http2 || layer_->details().application_protocol == "h2";
    }
    stage_ = "no answer";
    const CheckPeer peer{.http2 = http2, .secure = layer_ != nullptr, .host = target_.host};
    exchange_ = make_check_exchange(target_.check, peer);
    if (exchange_ == nullptr) {
      co_return CheckVerdict{true, layer_ != nullptr ? "handshake done" : "connected"};
    }
    co_return co_await converse();
  }

  asio::awaitable<CheckVerdict> converse() {
    std::string out = exchange_->begin();
    for (;;) {
      if (!out.empty() && !co_await send(out)) {
        co_return CheckVerdict{false, "the connection broke"};
      }
      out.clear();
      const std::optional<std::string> received = co_await receive();
      if (!received) {
        co_return exchange_->ended();
      }
      std::optional<CheckVerdict> verdict = exchange_->received(*received, out);
      if (verdict) {
        co_return std::move(*verdict);
      }
    }
  }

  std::string_view tls_error() const {
    const char* detail = layer_->error().detail;
    return layer_->error().code != Errc::kNone && detail != nullptr ? detail
                                                                    : "the connection broke";
  }

  asio::awaitable<bool> shake_hands() {
    sessions_ = target_.tls->make_cache();
    layer_ =
        target_.tls->connect(server_name_of(target_), sessions_, memory_->small, memory_->large);
    for (;;) {
      buffer::Slice data;
      const Event event = layer_->next(data, wire_);
      if (!co_await flush()) {
        co_return false;
      }
      if (event == Event::kEstablished) {
        co_return true;
      }
      if (event == Event::kFailed || event == Event::kEnd) {
        co_return false;
      }
      if (event == Event::kNone && !co_await feed()) {
        co_return false;
      }
    }
  }

  /// What TLS wants sent.
  asio::awaitable<bool> flush() {
    while (!wire_.empty()) {
      const buffer::Slice piece = wire_.take_front(SIZE_MAX);
      const auto bytes = asio::buffer(piece.data, piece.size);
      const auto [error, sent] = co_await asio::async_write(socket_, bytes, kUseResult);
      if (error) {
        co_return false;
      }
    }
    co_return true;
  }

  /// Gives TLS what comes; false: nothing more will.
  asio::awaitable<bool> feed() {
    const auto into = asio::buffer(input_);
    const auto [error, bytes] = co_await socket_.async_read_some(into, kUseResult);
    if (error) {
      co_return false;
    }
    buffer::Slice slice;
    slice.block = buffer::BlockRef::on_heap(bytes);
    std::copy_n(input_.data(), bytes, slice.block->data());
    slice.data = slice.block->data();
    slice.size = static_cast<uint32_t>(bytes);
    layer_->feed(std::move(slice));
    co_return true;
  }

  asio::awaitable<bool> send(const std::string& text) {
    if (layer_ == nullptr) {
      const auto bytes = asio::buffer(text);
      const auto [error, sent] = co_await asio::async_write(socket_, bytes, kUseResult);
      co_return !error;
    }
    layer_->plain().append_copy(text);
    const int64_t now_ns = monotonic_now().time_since_epoch().count();
    if (!layer_->secure(wire_, SIZE_MAX, now_ns)) {
      co_return false;
    }
    co_return co_await flush();
  }

  /// nullopt: the end.
  asio::awaitable<std::optional<std::string>> receive() {
    if (layer_ == nullptr) {
      const auto into = asio::buffer(input_);
      const auto [error, bytes] = co_await socket_.async_read_some(into, kUseResult);
      co_return error ? std::nullopt : std::optional(std::string(input_.data(), bytes));
    }
    for (;;) {
      buffer::Slice data;
      const Event event = layer_->next(data, wire_);
      if (event == Event::kData) {
        co_return std::string(data.view());
      }
      if (event == Event::kEnd || event == Event::kFailed || !co_await flush()) {
        co_return std::nullopt;
      }
      if (event == Event::kNone && !co_await feed()) {
        co_return std::nullopt;
      }
    }
  }

  void close() {
    error_code ignored;
    socket_.close(ignored);
  }

  std::shared_ptr<ProbeMemory> memory_;  // outlives what lies in it
  ProbeTarget target_;
  stream_protocol::socket socket_;
  asio::steady_timer timer_;
  std::shared_ptr<tls::SessionCache> sessions_;
  std::unique_ptr<net::SecurityLayer> layer_;  // nullptr: without TLS
  buffer::OutputQueue wire_{memory_->small};
  std::unique_ptr<CheckExchange> exchange_;
  std::array<char, 16 * 1024> input_{};
  std::string_view stage_ = "no connection";  // that a timeout interrupts
  bool timed_out_ = false;
};

asio::awaitable<void> run_probe(std::shared_ptr<Probe> probe,
                                std::function<void(CheckVerdict)> done) {
  CheckVerdict verdict = co_await probe->run();
  done(std::move(verdict));
}

}  // namespace

void check_probe(asio::io_context& context, std::shared_ptr<ProbeMemory> memory, ProbeTarget target,
                 std::function<void(CheckVerdict)> done) {
  auto probe = std::make_shared<Probe>(context, std::move(memory), std::move(target));
  probe->limit_time();
  asio::co_spawn(context, run_probe(std::move(probe), std::move(done)), asio::detached);
}

}  // namespace hangu::control
