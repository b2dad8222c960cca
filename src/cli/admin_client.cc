#include "cli/admin_client.h"

#include <sys/un.h>

#include <chrono>
#include <optional>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <fmt/format.h>

#include "hangu/base/parse.h"
#include "hangu/http/url.h"

#include "cli/admin_exchange.h"
#include "cli/admin_session.h"
#include "cli/config_file.h"
#include "cli/json_fields.h"
#include "cli/terminal.h"

namespace hangu::cli {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

using Answer = Result<AdminReply, std::string>;
using Endpoints = std::vector<AdminEndpoint>;

constexpr std::string_view kUnix = "unix:";
constexpr std::string_view kHttps = "https://";

Result<Endpoints, std::string> unix_endpoint(const std::string& address) {
  if (address.size() - kUnix.size() >= sizeof(sockaddr_un::sun_path)) {
    return Failure<std::string>{fmt::format("{}: the path is too long for a socket", address)};
  }
  return Endpoints{asio::local::stream_protocol::endpoint(address.substr(kUnix.size()))};
}

std::optional<AdminEndpoint> tcp_endpoint(const std::string& address) {
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
  return AdminEndpoint(asio::ip::tcp::endpoint(ip, static_cast<uint16_t>(*port)));
}

Result<Endpoints, std::string> resolved(asio::io_context& context, const http::HttpUrl& url) {
  asio::ip::tcp::resolver resolver(context);
  error_code error;
  Endpoints out;
  for (const auto& each : resolver.resolve(url.host, url.port, error)) {
    out.emplace_back(each.endpoint());
  }
  if (error) {
    return Failure<std::string>{fmt::format("cannot resolve {}: {}", url.host, error.message())};
  }
  return out;
}

Result<Endpoints, std::string> endpoints_of(asio::io_context& context, const std::string& address,
                                            const std::optional<http::HttpUrl>& url) {
  if (address.starts_with(kUnix)) {
    return unix_endpoint(address);
  }
  if (url && url->tls && url->target == "/") {
    return resolved(context, *url);
  }
  if (const auto endpoint = tcp_endpoint(address)) {
    return Endpoints{*endpoint};
  }
  return Failure<std::string>{
      fmt::format("\"{}\" is neither a socket path nor an address or https://HOST:PORT", address)};
}

Answer run_exchange(asio::io_context& context, AdminExchange exchange) {
  std::optional<Answer> answer;
  asio::co_spawn(context, exchange_with_admin(std::move(exchange)),
                 [&](const std::exception_ptr& /*none is thrown*/, std::optional<Answer> result) {
                   answer = std::move(result);
                 });
  context.run();
  return answer ? std::move(*answer) : Answer(Failure<std::string>{"no answer"});
}

/// As `--socket` has it.
AdminAddress address_of(const AdminTarget& target) {
  // An address has a port; a path of that look is said as "./a:1".
  const std::string& socket = target.socket;
  const bool is_url = socket.starts_with(kHttps);
  const bool is_path =
      !is_url && (socket.find('/') != std::string::npos || socket.find(':') == std::string::npos);
  const bool prefixed = socket.starts_with(kUnix);
  return {.text = is_path && !prefixed ? std::string(kUnix) + socket : socket,
          .ca = target.ca,
          .certificate = target.certificate,
          .key = target.key};
}

Result<AdminAddress, std::string> locate(const AdminTarget& target) {
  if (!target.socket.empty()) {
    return address_of(target);
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
  return AdminAddress{.text = std::string(kUnix) + loaded.config->admin.unix_path};
}

}  // namespace

Result<AdminAddress, std::string> find_admin(const AdminTarget& target) {
  if (target.certificate.empty() != target.key.empty()) {
    return Failure<std::string>{"--cert and --cert-key go together"};
  }
  auto found = locate(target);
  if (found && target.wants_tls() && !found->text.starts_with(kHttps)) {
    return Failure<std::string>{
        fmt::format("--ca and --cert are for TLS, and {} has none", found->text)};
  }
  return found;
}

Result<AdminReply, std::string> ask_admin(const AdminAddress& address,
                                          const AdminQuestion& question) {
  asio::io_context context(1);
  const auto url = http::parse_http_url(address.text);
  auto endpoints = endpoints_of(context, address.text, url);
  if (!endpoints) {
    return Failure<std::string>{endpoints.error()};
  }
  AdminExchange exchange{.endpoints = std::move(*endpoints),
                         .address = address,
                         .host = url ? url->host : std::string(),
                         .question = question};
  const std::string session =
      question.authorization.empty() ? read_session(address.text) : std::string();
  if (!session.empty()) {
    exchange.question.authorization = "Bearer " + session;
  }
  Answer answer = run_exchange(context, std::move(exchange));
  if (!answer) {
    return Failure<std::string>{
        fmt::format("cannot reach hangu at {}: {}", address.text, answer.error())};
  }
  return answer;
}

Result<AdminAddress, int> find_running(const AdminTarget& target, const Environment& environment) {
  auto address = find_admin(target);
  if (!address) {
    print_error(environment, address.error());
    return Failure<int>{kRuntimeFailure};
  }
  return std::move(*address);
}

Result<AdminReply, int> ask_running(const AdminTarget& target, const AdminQuestion& question,
                                    const Environment& environment) {
  const auto address = find_running(target, environment);
  return address ? ask_running(*address, question, environment)
                 : Result<AdminReply, int>(Failure<int>{address.error()});
}

Result<AdminReply, int> ask_running(const AdminAddress& address, const AdminQuestion& question,
                                    const Environment& environment) {
  auto reply = ask_admin(address, question);
  if (!reply) {
    print_error(environment, reply.error(), "is it running? `hangu run` starts it");
    return Failure<int>{kRuntimeFailure};
  }
  return std::move(*reply);
}

Result<boost::json::object, int> answer_of_running(const AdminTarget& target,
                                                   const AdminQuestion& question,
                                                   std::string_view hint,
                                                   const Environment& environment) {
  const auto reply = ask_running(target, question, environment);
  if (!reply) {
    return Failure<int>{reply.error()};
  }
  boost::json::object body = object_from(reply->body);
  if (reply->status != 200) {
    print_error(environment, text_field(body, "detail"), reply->status == 404 ? hint : "");
    return Failure<int>{reply->status == 409 ? kReloadRefused : kRuntimeFailure};
  }
  return body;
}

}  // namespace hangu::cli
