#include "cli/admin_exchange.h"

#include <sstream>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <fmt/format.h>

#include "hangu/tls/native.h"

namespace hangu::cli {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;

constexpr auto kUseResult = asio::as_tuple(asio::use_awaitable);
constexpr uint64_t kReplyBytesMax = 256 * 1024 * 1024;

using Answer = Result<AdminReply, std::string>;
using Answered = asio::awaitable<std::optional<Answer>>;
using Plain = beast::basic_stream<asio::generic::stream_protocol>;
using Encrypted = beast::ssl_stream<Plain>;

std::string text_of(const AdminQuestion& question) {
  http::request<http::string_body> request;
  request.version(11);
  request.method_string(question.method);
  request.target(question.path);
  request.set(http::field::host, "hangu");
  request.set(http::field::user_agent, "hangu/" HANGU_VERSION);
  if (!question.authorization.empty()) {
    request.set(http::field::authorization, question.authorization);
  }
  if (!question.accept.empty()) {
    request.set(http::field::accept, question.accept);
  }
  if (!question.if_match.empty()) {
    request.set(http::field::if_match, question.if_match);
  }
  if (!question.body.empty()) {
    request.set(http::field::content_type, "application/json");
    request.body() = question.body;
  }
  request.keep_alive(false);
  request.prepare_payload();
  std::ostringstream text;
  text << request;
  return text.str();
}

Answer failure(std::string_view what, const error_code& error) {
  return Failure<std::string>{fmt::format("{}{}", what, error.message())};
}

/// Over a stream that is connected, encrypted or not.
template <class Stream>
Answered converse(Stream& stream, const std::string& request) {
  auto [write_error, written] =
      co_await asio::async_write(stream, asio::buffer(request), kUseResult);
  if (write_error) {
    co_return failure("", write_error);
  }
  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(kReplyBytesMax);
  auto [read_error, bytes] = co_await http::async_read(stream, buffer, parser, kUseResult);
  if (read_error) {
    co_return failure("", read_error);
  }
  co_return Answer(
      AdminReply{static_cast<int>(parser.get().result_int()), std::move(parser.get().body())});
}

// --- TLS ---------------------------------------------------------------------------------------

/// What cannot be read, in words; empty: nothing.
std::string load_files(asio::ssl::context& context, const AdminAddress& address) {
  error_code error;
  context.set_options(asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1, error);
  if (address.ca.empty()) {
    context.set_default_verify_paths(error);
  } else if (context.load_verify_file(address.ca, error)) {
    return fmt::format("{}: {}", address.ca, error.message());
  }
  if (address.certificate.empty()) {
    return "";
  }
  if (context.use_certificate_chain_file(address.certificate, error)) {
    return fmt::format("{}: {}", address.certificate, error.message());
  }
  if (context.use_private_key_file(address.key, asio::ssl::context::pem, error)) {
    return fmt::format("{}: {}", address.key, error.message());
  }
  return "";
}

void expect_peer(Encrypted& stream, const AdminExchange& exchange) {
  error_code error;
  stream.set_verify_mode(asio::ssl::verify_peer, error);
  stream.set_verify_callback(asio::ssl::host_name_verification(exchange.host), error);
  tls::name_host(stream.native_handle(), exchange.host);
}

Answered converse_encrypted(Plain&& connected, const AdminExchange& exchange,
                            const std::string& request) {
  asio::ssl::context context(asio::ssl::context::tls_client);
  std::string unread = load_files(context, exchange.address);
  if (!unread.empty()) {
    co_return Answer(Failure<std::string>{std::move(unread)});
  }
  Encrypted stream(std::move(connected), context);
  expect_peer(stream, exchange);
  auto [error] = co_await stream.async_handshake(asio::ssl::stream_base::client, kUseResult);
  if (error) {
    co_return failure("TLS: ", error);
  }
  co_return co_await converse(stream, request);
}

}  // namespace

Answered exchange_with_admin(AdminExchange exchange) {
  Plain stream(co_await asio::this_coro::executor);
  stream.expires_after(exchange.question.patience);
  error_code error = asio::error::not_found;
  for (const AdminEndpoint& endpoint : exchange.endpoints) {
    auto [connect_error] = co_await stream.async_connect(endpoint, kUseResult);
    error = connect_error;
    if (!error) {
      break;
    }
    stream.socket().close(connect_error);
  }
  if (error) {
    co_return failure("", error);
  }
  const std::string request = text_of(exchange.question);
  if (!exchange.host.empty()) {
    co_return co_await converse_encrypted(std::move(stream), exchange, request);
  }
  co_return co_await converse(stream, request);
}

}  // namespace hangu::cli
