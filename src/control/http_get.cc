#include "hangu/control/http_get.h"

#include <sstream>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <fmt/format.h>

#include "hangu/tls/native.h"

namespace hangu::control {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;

using Answer = Result<HttpAnswer, std::string>;

Answer failure(std::string_view what, const error_code& error) {
  return Failure<std::string>{fmt::format("{}: {}", what, error.message())};
}

auto into(error_code& error) {
  return asio::redirect_error(asio::use_awaitable, error);
}

/// Over a stream that is connected, encrypted or not.
template <class Stream>
asio::awaitable<Answer> exchange(Stream& stream, const hangu::http::HttpUrl& url,
                                 size_t bytes_max) {
  http::request<http::empty_body> request(http::verb::get, url.target, 11);
  request.set(http::field::host, url.authority);
  request.set(http::field::user_agent, "hangu/" HANGU_VERSION);
  request.set(http::field::accept, "application/json");
  request.set(http::field::connection, "close");
  std::ostringstream text;
  text << request;
  const std::string wire = text.str();
  error_code error;
  co_await asio::async_write(stream, asio::buffer(wire), into(error));
  if (error) {
    co_return failure("cannot send", error);
  }
  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(bytes_max);
  co_await http::async_read(stream, buffer, parser, into(error));
  if (error) {
    co_return failure("no good answer", error);
  }
  http::response<http::string_body> response = parser.release();
  const auto cache = response[http::field::cache_control];
  co_return HttpAnswer{.status = static_cast<int>(response.result_int()),
                       .body = std::move(response.body()),
                       .cache_control = std::string(cache.data(), cache.size())};
}

asio::awaitable<Answer> exchange_tls(beast::tcp_stream&& connected, const hangu::http::HttpUrl& url,
                                     size_t bytes_max) {
  asio::ssl::context context(asio::ssl::context::tls_client);
  error_code error;
  context.set_options(asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1, error);
  context.set_default_verify_paths(error);
  beast::ssl_stream<beast::tcp_stream> stream(std::move(connected), context);
  stream.set_verify_mode(asio::ssl::verify_peer, error);
  stream.set_verify_callback(asio::ssl::host_name_verification(url.host), error);
  tls::name_host(stream.native_handle(), url.host);
  co_await stream.async_handshake(asio::ssl::stream_base::client, into(error));
  if (error) {
    co_return failure("TLS", error);
  }
  co_return co_await exchange(stream, url, bytes_max);
}

}  // namespace

asio::awaitable<Answer> http_get(hangu::http::HttpUrl url, Duration at_most, size_t bytes_max) {
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
    co_return failure("cannot connect to " + url.authority, error);
  }
  if (url.tls) {
    co_return co_await exchange_tls(std::move(stream), url, bytes_max);
  }
  co_return co_await exchange(stream, url, bytes_max);
}

}  // namespace hangu::control
