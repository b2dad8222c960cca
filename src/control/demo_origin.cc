#include "hangu/control/demo_origin.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <random>
#include <sstream>
#include <thread>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <fmt/format.h>

#include "hangu/base/parse.h"
#include "hangu/control/process.h"

namespace hangu::control {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using asio::ip::tcp;
using boost::system::error_code;

constexpr auto kUseResult = asio::as_tuple(asio::use_awaitable);
constexpr size_t kPieceBytes = 64 * 1024;
constexpr uint64_t kBytesMax = 16ULL * 1024 * 1024 * 1024;
constexpr int kChunks = 5;
constexpr auto kChunkPause = std::chrono::milliseconds(100);
constexpr auto kIdleTimeout = std::chrono::seconds(120);

using Parser = http::request_parser<http::buffer_body>;
using Request = http::request<http::buffer_body>;

struct Reply {
  unsigned status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

std::string_view path_of(const Request& request) {
  const std::string_view target = request.target();
  return target.substr(0, target.find('?'));
}

std::optional<uint64_t> number_after(std::string_view path, std::string_view prefix, uint64_t max) {
  return path.starts_with(prefix) ? parse_decimal(path.substr(prefix.size()), max) : std::nullopt;
}

std::string json_string(std::string_view text) {
  std::string out = "\"";
  for (const char byte : text) {
    if (byte == '"' || byte == '\\') {
      out += '\\';
      out += byte;
    } else if (static_cast<unsigned char>(byte) < 0x20 || static_cast<unsigned char>(byte) > 0x7e) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned char>(byte));
    } else {
      out += byte;
    }
  }
  return out + '"';
}

Reply echo(const Request& request, uint64_t body_bytes) {
  std::string headers;
  for (const auto& field : request) {
    headers += fmt::format("{}\n    [{}, {}]", headers.empty() ? "" : ",",
                           json_string(std::string_view(field.name_string())),
                           json_string(std::string_view(field.value())));
  }
  Reply reply;
  reply.content_type = "application/json";
  reply.body = fmt::format(
      "{{\n  \"method\": {},\n  \"target\": {},\n  \"headers\": [{}\n  ],\n  \"body_bytes\": "
      "{}\n}}\n",
      json_string(std::string_view(request.method_string())),
      json_string(std::string_view(request.target())), headers, body_bytes);
  return reply;
}

Reply welcome(const Request& request) {
  const bool html =
      std::string_view(request[http::field::accept]).find("text/html") != std::string_view::npos;
  std::string list;
  for (const DemoPath& each : DemoOrigin::paths()) {
    list += html ? fmt::format("<li><a href=\"{0}\"><code>{0}</code></a> {1}</li>\n", each.path,
                               each.text)
                 : fmt::format("  {:<14} {}\n", each.path, each.text);
  }
  Reply reply;
  if (html) {
    reply.content_type = "text/html; charset=utf-8";
    reply.body = fmt::format(
        "<!doctype html><meta charset=\"utf-8\"><title>hangu</title>\n<h1>It works</h1>\n"
        "<p>This page came from the demo origin, through the hangu gateway. "
        "Try:</p>\n<ul>\n{}</ul>\n",
        list);
  } else {
    reply.body =
        "It works: this came from the demo origin, through the hangu gateway.\nTry:\n" + list;
  }
  return reply;
}

/// "/faults?fail=30&delay=200"; what is not given is 0 again.
Reply set_faults(std::string_view target, DemoBehaviour& behaviour) {
  uint32_t fail_percent = 0;
  uint32_t delay_ms = 0;
  std::string_view query = target.substr(std::min(target.find('?'), target.size()));
  while (!query.empty()) {
    query.remove_prefix(1);
    const std::string_view field = query.substr(0, query.find('&'));
    query.remove_prefix(field.size());
    if (const auto fail = number_after(field, "fail=", 100)) {
      fail_percent = static_cast<uint32_t>(*fail);
    } else if (const auto delay = number_after(field, "delay=", DemoOrigin::kDelayMsMax)) {
      delay_ms = static_cast<uint32_t>(*delay);
    } else if (!field.empty()) {
      return {400, "text/plain", "takes fail=PERCENT and delay=MILLISECONDS\n"};
    }
  }
  behaviour.fail_percent = fail_percent;
  behaviour.delay_ms = delay_ms;
  return {200, "text/plain",
          fmt::format("fails {}% of requests, answers after {} ms\n", fail_percent, delay_ms)};
}

// One connection; the coroutine's frame owns everything.
class Session {
 public:
  Session(tcp::socket socket, DemoBehaviour& behaviour)
      : stream_(std::move(socket)),
        behaviour_(behaviour) {
    error_code ignored;
    stream_.socket().set_option(tcp::no_delay(true), ignored);
  }

  asio::awaitable<void> run() {
    bool go_on = true;
    while (go_on) {
      go_on = co_await exchange();
    }
    error_code ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
  }

 private:
  asio::awaitable<bool> exchange() {
    Parser parser;
    parser.body_limit(boost::none);
    stream_.expires_after(kIdleTimeout);
    auto [error, bytes] = co_await http::async_read_header(stream_, buffer_, parser, kUseResult);
    if (error) {
      co_return false;
    }
    const Request& request = parser.get();
    if (websocket::is_upgrade(request) && path_of(request) == "/ws") {
      co_await echo_websocket(request);
      co_return false;
    }
    const std::optional<uint64_t> body_bytes = co_await read_body(parser);
    if (!body_bytes) {
      co_return false;
    }
    const bool sent = co_await answer(request, *body_bytes);
    co_return sent&& request.keep_alive();
  }

  /// Counts the body and forgets it; nullopt when the client went away.
  asio::awaitable<std::optional<uint64_t>> read_body(Parser& parser) {
    if (beast::iequals(parser.get()[http::field::expect], "100-continue") && !parser.is_done()) {
      const std::string go_on = "HTTP/1.1 100 Continue\r\n\r\n";
      if (!co_await write(go_on)) {
        co_return std::nullopt;
      }
    }
    uint64_t total = 0;
    while (!parser.is_done()) {
      auto& body = parser.get().body();
      body.data = piece_.data();
      body.size = piece_.size();
      stream_.expires_after(kIdleTimeout);
      auto [error, bytes] = co_await http::async_read(stream_, buffer_, parser, kUseResult);
      total += piece_.size() - body.size;
      if (error && error != http::error::need_buffer) {
        co_return std::nullopt;
      }
    }
    co_return total;
  }

  asio::awaitable<bool> answer(const Request& request, uint64_t body_bytes) {
    const std::string_view path = path_of(request);
    if (path == "/faults") {
      Reply told = set_faults(request.target(), behaviour_);
      co_return co_await send(request, std::move(told));
    }
    if (behaviour_.delay_ms != 0) {
      asio::steady_timer timer(stream_.get_executor(),
                               std::chrono::milliseconds(behaviour_.delay_ms));
      co_await timer.async_wait(kUseResult);
    }
    if (random_() % 100 < behaviour_.fail_percent) {
      Reply failed{500, "text/plain", "failed on purpose: /faults\n"};
      co_return co_await send(request, std::move(failed));
    }
    if (const auto size = number_after(path, "/bytes/", kBytesMax)) {
      co_return co_await send_bytes(request, *size);
    }
    if (path == "/chunked") {
      co_return co_await send_chunks(request);
    }
    if (const auto delay = number_after(path, "/delay/", DemoOrigin::kDelayMsMax)) {
      asio::steady_timer timer(stream_.get_executor(), std::chrono::milliseconds(*delay));
      co_await timer.async_wait(kUseResult);
      co_return co_await send(request,
                              Reply{200, "text/plain", fmt::format("{} ms later\n", *delay)});
    }
    co_return co_await send(request, simple_reply(request, path, body_bytes));
  }

  static Reply simple_reply(const Request& request, std::string_view path, uint64_t body_bytes) {
    if (path == "/") {
      return welcome(request);
    }
    if (path == "/echo") {
      return echo(request, body_bytes);
    }
    if (path == "/upload") {
      return {200, "application/json", fmt::format("{{\"bytes\": {}}}\n", body_bytes)};
    }
    if (const auto status = number_after(path, "/status/", 599); status && *status >= 200) {
      const bool bodiless = *status == 204 || *status == 304;
      return {static_cast<unsigned>(*status), "text/plain",
              bodiless ? std::string() : fmt::format("status {}\n", *status)};
    }
    if (path == "/ws") {
      return {426, "text/plain", "this path speaks WebSocket: connect with ws://\n"};
    }
    return {404, "text/plain", "the demo origin has no such path; / lists them\n"};
  }

  asio::awaitable<bool> send(const Request& request, Reply reply) {
    http::response<http::string_body> response(http::int_to_status(reply.status),
                                               request.version());
    response.result(reply.status);
    response.set(http::field::server, "hangu-demo-origin");
    response.set(http::field::content_type, reply.content_type);
    if (!behaviour_.version.empty()) {
      response.set("x-version", behaviour_.version);
    }
    response.keep_alive(request.keep_alive());
    response.body() = std::move(reply.body);
    if (reply.status != 204 && reply.status != 304) {
      response.content_length(response.body().size());
    }
    std::ostringstream text;
    text << response.base();
    if (request.method() != http::verb::head) {
      text << response.body();
    }
    const std::string wire = text.str();
    stream_.expires_after(kIdleTimeout);
    co_return co_await write(wire);
  }

  /// `text` outlives it: g++ 12 destroys a temporary in a co_await expression twice.
  asio::awaitable<bool> write(const std::string& text) {
    auto [error, bytes] = co_await asio::async_write(stream_, asio::buffer(text), kUseResult);
    co_return !error;
  }

  asio::awaitable<bool> send_head(const Request& request, http::response<http::empty_body>& head) {
    head.set(http::field::server, "hangu-demo-origin");
    head.keep_alive(request.keep_alive());
    std::ostringstream text;
    text << head.base();
    const std::string wire = text.str();
    stream_.expires_after(kIdleTimeout);
    co_return co_await write(wire);
  }

  asio::awaitable<bool> send_bytes(const Request& request, uint64_t size) {
    http::response<http::empty_body> head(http::status::ok, request.version());
    head.set(http::field::content_type, "application/octet-stream");
    head.content_length(size);
    if (!co_await send_head(request, head)) {
      co_return false;
    }
    piece_.fill('h');
    uint64_t left = request.method() == http::verb::head ? 0 : size;
    while (left > 0) {
      const size_t now = static_cast<size_t>(std::min<uint64_t>(left, piece_.size()));
      stream_.expires_after(kIdleTimeout);
      auto [error, bytes] =
          co_await asio::async_write(stream_, asio::buffer(piece_.data(), now), kUseResult);
      if (error) {
        co_return false;
      }
      left -= now;
    }
    co_return true;
  }

  asio::awaitable<bool> send_chunks(const Request& request) {
    http::response<http::empty_body> head(http::status::ok, request.version());
    head.set(http::field::content_type, "text/plain");
    head.chunked(request.version() >= 11);
    if (!co_await send_head(request, head) || request.method() == http::verb::head) {
      co_return request.method() == http::verb::head;
    }
    for (int each = 1; each <= kChunks; ++each) {
      const std::string line = fmt::format("chunk {} of {}\n", each, kChunks);
      const std::string wire =
          request.version() >= 11 ? fmt::format("{:x}\r\n{}\r\n", line.size(), line) : line;
      auto [error, bytes] = co_await asio::async_write(stream_, asio::buffer(wire), kUseResult);
      if (error) {
        co_return false;
      }
      asio::steady_timer timer(stream_.get_executor(), kChunkPause);
      co_await timer.async_wait(kUseResult);
    }
    if (request.version() < 11) {
      co_return false;  // the close ends the body
    }
    const std::string_view last = "0\r\n\r\n";
    auto [error, bytes] = co_await asio::async_write(stream_, asio::buffer(last), kUseResult);
    co_return !error;
  }

  asio::awaitable<void> echo_websocket(const Request& request) {
    stream_.expires_never();
    websocket::stream<beast::tcp_stream&> socket(stream_);
    socket.set_option(websocket::stream_base::timeout::suggested(beast::role_type::server));
    auto [failed] = co_await socket.async_accept(request, kUseResult);
    beast::flat_buffer message;
    while (!failed) {
      auto [read_error, read_bytes] = co_await socket.async_read(message, kUseResult);
      if (read_error) {
        co_return;
      }
      socket.text(socket.got_text());
      auto [write_error, written] = co_await socket.async_write(message.data(), kUseResult);
      if (write_error) {
        co_return;
      }
      message.consume(message.size());
    }
  }

  beast::tcp_stream stream_;
  DemoBehaviour& behaviour_;
  std::minstd_rand random_{std::random_device{}()};
  beast::flat_buffer buffer_;
  std::array<char, kPieceBytes> piece_;
};

asio::awaitable<void> serve(tcp::socket socket, DemoBehaviour& behaviour) {
  Session session(std::move(socket), behaviour);
  co_await session.run();
}

asio::awaitable<void> accept_all(tcp::acceptor& acceptor, DemoBehaviour& behaviour) {
  while (acceptor.is_open()) {
    auto [error, socket] = co_await acceptor.async_accept(kUseResult);
    if (!error) {
      asio::co_spawn(acceptor.get_executor(), serve(std::move(socket), behaviour), asio::detached);
      continue;
    }
    if (error == asio::error::operation_aborted) {
      co_return;
    }
    asio::steady_timer pause(acceptor.get_executor(), std::chrono::milliseconds(50));
    co_await pause.async_wait(kUseResult);
  }
}

}  // namespace

class DemoOrigin::Impl {
 public:
  explicit Impl(DemoBehaviour behaviour)
      : behaviour_(std::move(behaviour)) {}

  ~Impl() {
    context_.stop();
    if (thread_.joinable()) {
      thread_.join();
    }
  }

  Result<void, std::string> listen(uint16_t port) {
    const tcp::endpoint endpoint(asio::ip::address_v4::loopback(), port);
    error_code error;
    acceptor_.open(endpoint.protocol(), error);
    if (!error) {
      acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
      acceptor_.bind(endpoint, error);
    }
    if (!error) {
      acceptor_.listen(asio::socket_base::max_listen_connections, error);
    }
    if (error) {
      return Failure<std::string>{
          fmt::format("cannot bind 127.0.0.1:{} for the demo origin: {}", port, error.message())};
    }
    port_ = acceptor_.local_endpoint(error).port();
    asio::co_spawn(context_, accept_all(acceptor_, behaviour_), asio::detached);
    const SignalsBlocked signals_go_to_the_control_thread;
    thread_ = std::thread([this] { context_.run(); });
    return {};
  }

  uint16_t port() const { return port_; }

 private:
  DemoBehaviour behaviour_;  // the thread's
  asio::io_context context_{1};
  tcp::acceptor acceptor_{context_};
  std::thread thread_;
  uint16_t port_ = 0;
};

Result<std::unique_ptr<DemoOrigin>, std::string> DemoOrigin::start(uint16_t port,
                                                                   DemoBehaviour behaviour) {
  auto impl = std::make_unique<Impl>(std::move(behaviour));
  if (auto listening = impl->listen(port); !listening) {
    return Failure<std::string>{listening.error()};
  }
  return std::unique_ptr<DemoOrigin>(new DemoOrigin(std::move(impl)));
}

DemoOrigin::DemoOrigin(std::unique_ptr<Impl> impl)
    : impl_(std::move(impl)) {}

DemoOrigin::~DemoOrigin() = default;

uint16_t DemoOrigin::port() const {
  return impl_->port();
}

const std::vector<DemoPath>& DemoOrigin::paths() {
  static const std::vector<DemoPath> kPaths = {
      {"/", "this list"},
      {"/echo", "the request as the origin saw it, as JSON"},
      {"/bytes/1048576", "that many bytes"},
      {"/delay/500", "an answer after that many milliseconds"},
      {"/status/503", "an answer with that status"},
      {"/chunked", "five chunks, one every 100 ms"},
      {"/upload", "counts the body you send, without keeping it"},
      {"/ws", "a WebSocket that echoes"},
      {"/faults?fail=30", "from now on it fails so many percent of requests"},
  };
  return kPaths;
}

}  // namespace hangu::control
