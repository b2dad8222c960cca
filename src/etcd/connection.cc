#include "etcd/connection.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <sstream>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <fmt/format.h>

namespace hangu::etcd {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;

// A page of documents; more would be a store gone mad.
constexpr size_t kReplyBytesMax = 64 * 1024 * 1024;

// A peer that is gone without a word is noticed within about 15 s.
constexpr int kKeepAliveIdleS = 5;
constexpr int kKeepAliveIntervalS = 3;
constexpr int kKeepAliveProbes = 3;

Failure<std::string> failure(std::string_view what, const error_code& error) {
  return {fmt::format("{}: {}", what, error.message())};
}

auto into(error_code& error) {
  return asio::redirect_error(asio::use_awaitable, error);
}

void keep_alive(int socket) {
  const auto set = [socket](int level, int name, int value) {
    static_cast<void>(::setsockopt(socket, level, name, &value, sizeof(value)));
  };
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, kKeepAliveIdleS);
  set(IPPROTO_TCP, TCP_KEEPINTVL, kKeepAliveIntervalS);
  set(IPPROTO_TCP, TCP_KEEPCNT, kKeepAliveProbes);
  set(IPPROTO_TCP, TCP_NODELAY, 1);
}

template <class Stream>
class ConnectionOf final : public Connection {
 public:
  ConnectionOf(std::shared_ptr<asio::ssl::context> tls, Stream stream, std::string authority,
               Duration at_most)
      : tls_(std::move(tls)),
        stream_(std::move(stream)),
        authority_(std::move(authority)),
        at_most_(at_most) {}

  asio::awaitable<Result<HttpReply, std::string>> ask(std::string target, std::string token,
                                                      std::string body) override {
    beast::get_lowest_layer(stream_).expires_after(at_most_);
    if (const error_code error = co_await send(target, token, std::move(body)); error) {
      co_return failure("cannot send", error);
    }
    error_code error;
    http::response_parser<http::string_body> parser;
    parser.body_limit(kReplyBytesMax);
    co_await http::async_read(stream_, buffer_, parser, into(error));
    if (error) {
      co_return failure("no good answer", error);
    }
    http::response<http::string_body> reply = parser.release();
    co_return HttpReply{static_cast<int>(reply.result_int()), std::move(reply.body())};
  }

  asio::awaitable<Result<int, std::string>> open_stream(std::string target, std::string token,
                                                        std::string body) override {
    beast::get_lowest_layer(stream_).expires_after(at_most_);
    if (const error_code error = co_await send(target, token, std::move(body)); error) {
      co_return failure("cannot send", error);
    }
    error_code error;
    parser_.body_limit(boost::none);
    parser_.eager(true);
    co_await http::async_read_header(stream_, buffer_, parser_, into(error));
    if (error) {
      co_return failure("no good answer", error);
    }
    beast::get_lowest_layer(stream_).expires_never();
    co_return static_cast<int>(parser_.get().result_int());
  }

  asio::awaitable<Result<std::string, std::string>> read_piece() override {
    error_code error;
    while (parser_.get().body().empty()) {
      if (parser_.is_done()) {
        co_return Failure<std::string>{"the member ended the stream"};
      }
      co_await http::async_read_some(stream_, buffer_, parser_, into(error));
      if (error) {
        co_return failure("the stream broke", error);
      }
      if (parser_.get().body().size() > kReplyBytesMax) {
        co_return Failure<std::string>{"the answer is too large"};
      }
    }
    co_return std::exchange(parser_.get().body(), std::string());
  }

  void close() override {
    error_code ignored;
    beast::get_lowest_layer(stream_).socket().close(ignored);
  }

 private:
  asio::awaitable<error_code> send(const std::string& target, const std::string& token,
                                   std::string body) {
    http::request<http::string_body> request(http::verb::post, target, 11);
    request.set(http::field::host, authority_);
    request.set(http::field::user_agent, "hangu/" HANGU_VERSION);
    request.set(http::field::content_type, "application/json");
    // A member that has lost its leader refuses, where it would else be silent.
    request.set("Grpc-Metadata-hasleader", "true");
    if (!token.empty()) {
      request.set(http::field::authorization, token);
    }
    request.body() = std::move(body);
    request.prepare_payload();
    std::ostringstream text;
    text << request;
    const std::string wire = text.str();
    error_code error;
    co_await asio::async_write(stream_, asio::buffer(wire), into(error));
    co_return error;
  }

  std::shared_ptr<asio::ssl::context> tls_;  // outlives the stream
  Stream stream_;
  std::string authority_;
  Duration at_most_;
  beast::flat_buffer buffer_;
  http::response_parser<http::string_body> parser_;  // of a stream
};

}  // namespace

Result<std::shared_ptr<asio::ssl::context>, std::string> make_tls(const Options& options) {
  auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_client);
  error_code error;
  context->set_options(asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1, error);
  if (options.ca.empty()) {
    context->set_default_verify_paths(error);
  } else if (context->load_verify_file(options.ca, error)) {
    return failure(options.ca, error);
  }
  if (!options.certificate.empty()) {
    if (context->use_certificate_chain_file(options.certificate, error)) {
      return failure(options.certificate, error);
    }
    if (context->use_private_key_file(options.key, asio::ssl::context::pem, error)) {
      return failure(options.key, error);
    }
  }
  return context;
}

asio::awaitable<Result<std::shared_ptr<Connection>, std::string>> connect(
    hangu::http::HttpUrl url, std::string server_name, std::shared_ptr<asio::ssl::context> tls,
    Duration at_most) {
  const auto executor = co_await asio::this_coro::executor;
  error_code error;
  asio::ip::tcp::resolver resolver(executor);
  const auto found = co_await resolver.async_resolve(url.host, url.port, into(error));
  if (error) {
    co_return failure("cannot resolve " + url.host, error);
  }
  beast::tcp_stream stream(executor);
  stream.expires_after(at_most);
  co_await stream.async_connect(found, into(error));
  if (error) {
    co_return failure("cannot connect", error);
  }
  keep_alive(stream.socket().native_handle());
  if (!url.tls) {
    co_return std::make_shared<ConnectionOf<beast::tcp_stream>>(nullptr, std::move(stream),
                                                                url.authority, at_most);
  }
  std::string name = server_name.empty() ? url.host : std::move(server_name);
  beast::ssl_stream<beast::tcp_stream> secure(std::move(stream), *tls);
  secure.set_verify_mode(asio::ssl::verify_peer, error);
  secure.set_verify_callback(asio::ssl::host_name_verification(name), error);
  SSL_ctrl(secure.native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
           name.data());
  co_await secure.async_handshake(asio::ssl::stream_base::client, into(error));
  if (error) {
    co_return failure("TLS", error);
  }
  co_return std::make_shared<ConnectionOf<beast::ssl_stream<beast::tcp_stream>>>(
      std::move(tls), std::move(secure), url.authority, at_most);
}

}  // namespace hangu::etcd
