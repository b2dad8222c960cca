#include "cli/admin_client.h"

#include <sys/un.h>

#include <chrono>
#include <optional>
#include <sstream>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <fmt/format.h>

#include "hangu/base/parse.h"

#include "cli/admin_session.h"
#include "cli/config_file.h"
#include "cli/terminal.h"

namespace hangu::cli {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;

constexpr auto kUseResult = asio::as_tuple(asio::use_awaitable);
constexpr uint64_t kReplyBytesMax = 256 * 1024 * 1024;

using Answer = Result<AdminReply, std::string>;

http::request<http::empty_body> make_request(const std::string& method, const std::string& path,
                                             const std::string& authorization) {
  http::request<http::empty_body> request;
  request.version(11);
  request.method_string(method);
  request.target(path);
  request.set(http::field::host, "hangu");
  request.set(http::field::user_agent, "hangu/" HANGU_VERSION);
  if (!authorization.empty()) {
    request.set(http::field::authorization, authorization);
  }
  request.keep_alive(false);
  request.prepare_payload();
  return request;
}

/// Connects, asks and reads, within `patience`.
template <class Protocol>
asio::awaitable<std::optional<Answer>> exchange(typename Protocol::endpoint endpoint,
                                                http::request<http::empty_body> request,
                                                Duration patience) {
  beast::basic_stream<Protocol> stream(co_await asio::this_coro::executor);
  stream.expires_after(patience);
  auto [connect_error] = co_await stream.async_connect(endpoint, kUseResult);
  if (connect_error) {
    co_return Answer(Failure<std::string>{connect_error.message()});
  }
  std::ostringstream text;
  text << request;
  const std::string wire = text.str();
  auto [write_error, written] = co_await asio::async_write(stream, asio::buffer(wire), kUseResult);
  if (write_error) {
    co_return Answer(Failure<std::string>{write_error.message()});
  }
  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(kReplyBytesMax);
  auto [read_error, bytes] = co_await http::async_read(stream, buffer, parser, kUseResult);
  if (read_error) {
    co_return Answer(Failure<std::string>{read_error.message()});
  }
  co_return Answer(
      AdminReply{static_cast<int>(parser.get().result_int()), std::move(parser.get().body())});
}

template <class Protocol>
Answer run_exchange(const typename Protocol::endpoint& endpoint,
                    http::request<http::empty_body> request, Duration patience) {
  asio::io_context context(1);
  std::optional<Answer> answer;
  asio::co_spawn(context, exchange<Protocol>(endpoint, std::move(request), patience),
                 [&](const std::exception_ptr& /*none is thrown*/, std::optional<Answer> result) {
                   answer = std::move(result);
                 });
  context.run();
  return answer ? std::move(*answer) : Answer(Failure<std::string>{"no answer"});
}

std::optional<asio::ip::tcp::endpoint> tcp_endpoint(const std::string& address) {
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos) {
    return std::nullopt;
  }
  std::string host = address.substr(0, colon);
  if (host.size() > 2 && host.front() == '[') {
    host = host.substr(1, host.size() - 2);
  }
  error_code error;
  const auto ip = asio::ip::make_address(host, error);
  const auto port = parse_decimal(address.substr(colon + 1), UINT16_MAX);
  if (error || !port) {
    return std::nullopt;
  }
  return asio::ip::tcp::endpoint(ip, static_cast<uint16_t>(*port));
}

}  // namespace

Result<std::string, std::string> find_admin(const AdminTarget& target) {
  if (!target.socket.empty()) {
    // An address has a port; a path of that look is said as "./a:1".
    const bool is_path = target.socket.find('/') != std::string::npos ||
                         target.socket.find(':') == std::string::npos;
    const bool prefixed = target.socket.starts_with("unix:");
    return is_path && !prefixed ? "unix:" + target.socket : target.socket;
  }
  const auto path = find_config(target.config);
  if (!path) {
    return Failure<std::string>{path.error() + "; say --socket PATH or --config FILE"};
  }
  const config::LoadResult loaded = config::load_file(*path);
  if (!loaded.config) {
    return Failure<std::string>{fmt::format(
        "{} is not valid, so it does not say where the admin socket is; say --socket PATH", *path)};
  }
  const config::Admin& admin = loaded.config->admin;
  if (!admin.unix_path.empty()) {
    return "unix:" + admin.unix_path;
  }
  if (!admin.tcp_bind.empty() && !admin.tls.certificate.empty()) {
    return Failure<std::string>{fmt::format(
        "{} has the admin API with TLS alone, and hangu's commands use the Unix socket: say "
        "`admin.socket`",
        *path)};
  }
  if (!admin.tcp_bind.empty()) {
    return admin.tcp_bind;
  }
  return Failure<std::string>{fmt::format("{} has no admin endpoint", *path)};
}

Result<AdminReply, std::string> ask_admin(const std::string& address, const std::string& method,
                                          const std::string& path, const std::string& authorization,
                                          Duration patience) {
  Answer answer = Failure<std::string>{"no answer"};
  const std::string session = authorization.empty() ? read_session(address) : std::string();
  const auto request =
      make_request(method, path, session.empty() ? authorization : "Bearer " + session);
  if (address.starts_with("unix:")) {
    if (address.size() - 5 >= sizeof(sockaddr_un::sun_path)) {
      return Failure<std::string>{fmt::format("{}: the path is too long for a socket", address)};
    }
    answer = run_exchange<asio::local::stream_protocol>(address.substr(5), request, patience);
  } else if (const auto endpoint = tcp_endpoint(address)) {
    answer = run_exchange<asio::ip::tcp>(*endpoint, request, patience);
  } else {
    return Failure<std::string>{
        fmt::format("\"{}\" is neither a socket path nor an address", address)};
  }
  if (!answer) {
    return Failure<std::string>{
        fmt::format("cannot reach hangu at {}: {}", address, answer.error())};
  }
  return answer;
}

Result<AdminReply, int> ask_running(const AdminTarget& target, const std::string& method,
                                    const std::string& path, const Environment& environment,
                                    Duration patience) {
  const auto address = find_admin(target);
  if (!address) {
    print_error(environment, address.error());
    return Failure<int>{kRuntimeFailure};
  }
  auto reply = ask_admin(*address, method, path, {}, patience);
  if (!reply) {
    print_error(environment, reply.error(), "is it running? `hangu run` starts it");
    return Failure<int>{kRuntimeFailure};
  }
  return std::move(*reply);
}

}  // namespace hangu::cli
