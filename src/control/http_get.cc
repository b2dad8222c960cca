#include "hangu/control/http_get.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <fmt/format.h>

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
asio::awaitable<Answer> exchange(Stream& stream, const HttpUrl& url, size_t bytes_max) {
  http::request<http::empty_body> request(http::verb::get, url.target, 11);
  request.set(http::field::host, url.authority);
  request.set(http::field::user_agent, "hangu/" HANGU_VERSION);
  request.set(http::field::accept, "application/json");
  request.set(http::field::connection, "close");
  error_code error;
  co_await http::async_write(stream, request, into(error));
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

asio::awaitable<Answer> exchange_tls(beast::tcp_stream&& connected, const HttpUrl& url,
                                     size_t bytes_max) {
  asio::ssl::context context(asio::ssl::context::tls_client);
  error_code error;
  context.set_options(asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1, error);
  context.set_default_verify_paths(error);
  beast::ssl_stream<beast::tcp_stream> stream(std::move(connected), context);
  stream.set_verify_mode(asio::ssl::verify_peer, error);
  stream.set_verify_callback(asio::ssl::host_name_verification(url.host), error);
  std::string name = url.host;
  SSL_ctrl(stream.native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
           name.data());
  co_await stream.async_handshake(asio::ssl::stream_base::client, into(error));
  if (error) {
    co_return failure("TLS", error);
  }
  co_return co_await exchange(stream, url, bytes_max);
}

}  // namespace

std::optional<HttpUrl> parse_http_url(std::string_view text) {
  HttpUrl url;
  constexpr std::string_view kHttps = "https://";
  constexpr std::string_view kHttp = "http://";
  url.tls = text.starts_with(kHttps);
  if (!url.tls && !text.starts_with(kHttp)) {
    return std::nullopt;
  }
  text.remove_prefix(url.tls ? kHttps.size() : kHttp.size());
  const size_t path = text.find_first_of("/?");
  if (path != std::string_view::npos) {
    url.target =
        text[path] == '?' ? "/" + std::string(text.substr(path)) : std::string(text.substr(path));
    text = text.substr(0, path);
  }
  url.authority = std::string(text);
  const size_t bracket = text.rfind(']');
  const size_t colon = text.rfind(':');
  const bool has_port =
      colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  url.port = has_port ? std::string(text.substr(colon + 1)) : (url.tls ? "443" : "80");
  text = has_port ? text.substr(0, colon) : text;
  if (text.starts_with('[') && text.ends_with(']')) {
    text = text.substr(1, text.size() - 2);
  }
  url.host = std::string(text);
  return url.host.empty() || url.port.empty() ? std::nullopt : std::optional(std::move(url));
}

asio::awaitable<Answer> http_get(HttpUrl url, Duration at_most, size_t bytes_max) {
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
