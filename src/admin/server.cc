#include "hangu/admin/server.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <exception>
#include <filesystem>
#include <optional>
#include <sstream>
#include <tuple>
#include <type_traits>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <fmt/format.h>

#include "hangu/admin/routes.h"
#include "hangu/base/log.h"
#include "hangu/base/parse.h"
#include "hangu/base/signal_mask.h"
#include "hangu/identity/password_hash.h"
#include "hangu/net/address.h"
#include "hangu/tls/native.h"

#include "admin/login.h"
#include "admin/tls_context.h"

namespace hangu::admin {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using asio::local::stream_protocol;
using boost::system::error_code;

using Bound = Result<void, BindError>;

constexpr auto kUseResult = asio::as_tuple(asio::use_awaitable);
constexpr mode_t kSocketMode = 0660;
constexpr auto kAcceptPause = std::chrono::milliseconds(100);
constexpr std::string_view kHandedName = "admin endpoint";  // no listener has a space
constexpr auto kLinger = std::chrono::seconds(1);
constexpr auto kSessionWatch = std::chrono::seconds(5);

Failure<BindError> bind_failure(const std::string& what, const std::error_code& error) {
  auto kind = BindError::Kind::kOther;
  if (error == std::errc::address_in_use) {
    kind = BindError::Kind::kInUse;
  } else if (error == std::errc::permission_denied || error == std::errc::read_only_file_system ||
             error == std::errc::operation_not_permitted) {
    kind = BindError::Kind::kForbidden;
  }
  return {{kind, fmt::format("cannot bind the admin endpoint to {}: {}", what, error.message())}};
}

/// Whether some process still accepts on the socket file.
bool answers(const std::string& path) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  const bool connected =
      fd >= 0 && (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0 ||
                  errno == EAGAIN);
  if (fd >= 0) {
    ::close(fd);
  }
  return connected;
}

/// Makes room for a socket at `path`: its directory, and no stale socket there.
Bound prepare_path(const std::string& path) {
  if (path.size() >= sizeof(sockaddr_un::sun_path)) {
    return bind_failure(path, std::make_error_code(std::errc::filename_too_long));
  }
  std::error_code error;
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  if (!parent.empty() && !std::filesystem::exists(parent, error)) {
    std::filesystem::create_directories(parent, error);
    if (error) {
      return bind_failure(path, error);
    }
  }

  struct stat info {};

  if (::lstat(path.c_str(), &info) != 0) {
    return {};
  }
  if (!S_ISSOCK(info.st_mode)) {
    return bind_failure(path, std::make_error_code(std::errc::not_a_socket));
  }
  if (answers(path)) {
    return bind_failure(path, std::make_error_code(std::errc::address_in_use));
  }
  ::unlink(path.c_str());
  return {};
}

/// "127.0.0.1:9901", "[::1]:9901"; nullopt when it is none.
std::optional<tcp::endpoint> parse_endpoint(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    return std::nullopt;
  }
  std::string_view host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  error_code error;
  const auto address = asio::ip::make_address(std::string(host), error);
  const auto port = parse_decimal(text.substr(colon + 1), UINT16_MAX);
  if (error || !port) {
    return std::nullopt;
  }
  return tcp::endpoint(address, static_cast<uint16_t>(*port));
}

http::response<http::string_body> to_response(Reply reply, unsigned version, bool keep_alive) {
  http::response<http::string_body> response;
  response.version(version);
  response.result(static_cast<unsigned>(reply.status));
  response.set(http::field::server, "hangu");
  response.set(http::field::content_type, reply.content_type);
  response.set(http::field::cache_control, "no-store");
  for (const auto& [name, value] : reply.fields) {
    response.set(name, value);
  }
  response.keep_alive(keep_alive);
  response.body() = std::move(reply.body);
  response.prepare_payload();
  return response;
}

/// As it goes over the wire: text, so that each kind of stream has one way of writing to compile.
std::string text_of(const http::response<http::string_body>& response, bool with_body) {
  std::ostringstream text;
  text << response.base();
  if (with_body) {
    text << response.body();
  }
  return text.str();
}

/// HEAD is answered like GET, without the body.
Request to_request(const http::request<http::string_body>& request, Peer peer) {
  Request wanted;
  wanted.peer = std::move(peer);
  wanted.authorization = std::string(request[http::field::authorization]);
  wanted.content_type = std::string(request[http::field::content_type]);
  wanted.accept = std::string(request[http::field::accept]);
  wanted.if_match = std::string(request[http::field::if_match]);
  wanted.if_none_match = std::string(request[http::field::if_none_match]);
  wanted.method =
      request.method() == http::verb::head ? "GET" : std::string(request.method_string());
  wanted.target = std::string(request.target());
  return wanted;
}

Peer peer_of(stream_protocol::socket& socket) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
    return {.text = "unix", .place = "unix", .uid = std::nullopt};
  }
  return {.text = fmt::format("uid={} pid={}", credentials.uid, credentials.pid),
          .place = fmt::format("uid={}", credentials.uid),
          .uid = credentials.uid};
}

Peer peer_of(tcp::socket& socket) {
  error_code error;
  const tcp::endpoint peer = socket.remote_endpoint(error);
  if (error) {
    return {.text = "tcp", .place = "tcp", .uid = std::nullopt};
  }
  const std::string address = peer.address().to_string();
  return {.text = fmt::format("tcp={}:{}", address, peer.port()),
          .place = address,
          .uid = std::nullopt};
}

// One connection; the coroutine's frame owns everything.
template <class Stream>
class Session {
 public:
  Session(Stream stream, Peer peer, Context& context, const ServerLimits& limits)
      : stream_(std::move(stream)),
        peer_(std::move(peer)),
        context_(context),
        limits_(limits) {}

  asio::awaitable<void> run() {
    bool go_on = true;
    while (go_on) {
      go_on = co_await exchange();
    }
    if constexpr (requires(Stream secure) { secure.native_handle(); }) {
      lowest().expires_after(limits_.timeout);
      co_await stream_.async_shutdown(kUseResult);
    }
    error_code ignored;
    lowest().socket().shutdown(asio::socket_base::shutdown_both, ignored);
  }

 private:
  auto& lowest() { return beast::get_lowest_layer(stream_); }

  asio::awaitable<bool> exchange() {
    http::request_parser<http::string_body> parser;
    parser.header_limit(static_cast<uint32_t>(limits_.head_bytes_max));
    lowest().expires_after(limits_.timeout);
    error_code error = co_await read_head(parser);
    if (!error) {
      std::tie(error, std::ignore) =
          co_await http::async_read(stream_, buffer_, parser, kUseResult);
    }
    if (error) {
      co_await refuse(error);
      co_return false;
    }
    auto& request = parser.get();
    Reply reply;
    if (request.method() != http::verb::get && request.count(http::field::origin) > 0) {
      reply = problem(403, "admin.browser", "a web page may not change anything here");
    } else {
      // A named object: g++ 12 destroys a temporary in a co_await expression twice.
      Request wanted = to_request(request, peer_);
      wanted.body = std::move(request.body());
      reply = co_await ask(wanted);
    }
    co_return co_await send(std::move(reply), request);
  }

  /// Strangers do not get to fill memory with bodies.
  asio::awaitable<error_code> read_head(http::request_parser<http::string_body>& parser) {
    // Of a length that is too long at once; it is looked at again below.
    parser.body_limit(limits_.document_bytes_max);
    auto [error, bytes] = co_await http::async_read_header(stream_, buffer_, parser, kUseResult);
    if (error) {
      co_return error;
    }
    const auto& request = parser.get();
    const Request wanted = to_request(request, peer_);
    if (!takes_documents(wanted, context_)) {
      parser.body_limit(limits_.body_bytes_max);
      if (parser.content_length().value_or(0) > limits_.body_bytes_max) {
        co_return http::make_error_code(http::error::body_limit);
      }
    }
    if (beast::iequals(request[http::field::expect], "100-continue")) {
      const std::string go_on = "HTTP/1.1 100 Continue\r\n\r\n";
      co_return co_await write(go_on);
    }
    co_return error_code();
  }

  asio::awaitable<Reply> ask(const Request& request) {
    std::optional<Reply> answer;
    asio::steady_timer answered(stream_.get_executor(), asio::steady_timer::time_point::max());
    lowest().expires_never();
    handle(request, context_, [&](Reply reply) {
      answer = std::move(reply);
      answered.cancel();
    });
    if (!answer) {
      co_await answered.async_wait(kUseResult);
    }
    co_return answer ? std::move(*answer) : problem(503, "admin.stopping", "the process stops");
  }

  asio::awaitable<bool> send(Reply reply, const http::request<http::string_body>& request) {
    const auto response = to_response(std::move(reply), request.version(), request.keep_alive());
    lowest().expires_after(limits_.timeout);
    const std::string text = text_of(response, request.method() != http::verb::head);
    const error_code error = co_await write(text);
    co_return !error && request.keep_alive();
  }

  /// `text` outlives it: g++ 12 destroys a temporary in a co_await expression twice.
  asio::awaitable<error_code> write(const std::string& text) {
    auto [error, bytes] = co_await asio::async_write(stream_, asio::buffer(text), kUseResult);
    co_return error;
  }

  /// Says what is wrong with a request that could not be read, if there is anybody to say it to.
  asio::awaitable<void> refuse(error_code why) {
    Reply reply;
    if (why == http::error::body_limit) {
      reply = problem(413, "admin.body_too_large", "the body is too large");
    } else if (why == http::error::header_limit) {
      reply = problem(431, "admin.head_too_large", "the head is too large");
    } else if (why.category() == http::make_error_code(http::error::bad_method).category() &&
               why != http::error::end_of_stream && why != http::error::partial_message) {
      reply = problem(400, "admin.bad_request", why.message());
    } else {
      co_return;
    }
    const auto response = to_response(std::move(reply), 11, /*keep_alive=*/false);
    const std::string text = text_of(response, /*with_body=*/true);
    lowest().expires_after(limits_.timeout);
    co_await write(text);
    co_await linger();
  }

  /// Whoever is still sending would not see the answer if the connection were reset.
  asio::awaitable<void> linger() {
    error_code ignored;
    lowest().socket().shutdown(asio::socket_base::shutdown_send, ignored);
    lowest().expires_after(kLinger);
    buffer_.clear();
    std::array<char, 16 * 1024> rest;
    for (size_t left = limits_.document_bytes_max; left > 0;) {
      auto [error, bytes] = co_await lowest().async_read_some(asio::buffer(rest), kUseResult);
      if (error) {
        co_return;
      }
      left -= std::min(left, bytes);
    }
  }

  Stream stream_;
  beast::flat_buffer buffer_;
  Peer peer_;
  Context& context_;
  const ServerLimits& limits_;
};

}  // namespace

class Server::Impl {
 public:
  Impl(asio::io_context& context, control::Daemon& daemon, ServerLimits limits)
      : context_(context),
        limits_(limits),
        routes_{
            daemon, administrators_,
            [this](const std::string& hash, std::string password, std::function<void(bool)> done) {
              verify(hash, std::move(password), std::move(done));
            }},
        session_timer_(context) {
    asio::post(passwords_, [] { block_asynchronous_signals(); });
  }

  ~Impl() {
    close();
    passwords_.join();
  }

  Bound apply(const config::Admin& admin) {
    watch_sessions();
    if (admin.tls.certificate.empty()) {
      tls_.reset();
    } else if (tls_ == nullptr || tls_->files() != admin.tls) {
      auto loaded = TlsContext::load(admin.tls);
      if (!loaded) {
        return Failure<BindError>{{BindError::Kind::kOther, "admin.tls: " + loaded.error()}};
      }
      tls_ = std::move(*loaded);
    }
    if (admin.unix_path != unix_path_) {
      if (auto opened = open_unix(admin.unix_path); !opened) {
        return opened;
      }
    }
    if (admin.tcp_bind != tcp_bind_) {
      return open_tcp(admin.tcp_bind);
    }
    return {};
  }

  void close() {
    session_timer_.cancel();
    close_unix();
    close_tcp();
  }

  void inherit(std::shared_ptr<net::InheritedSockets> given, bool held) {
    given_ = std::move(given);
    held_ = held;
  }

  void begin() {
    held_ = false;
    given_.reset();
    for (const auto& start : std::exchange(waiting_, {})) {
      start();
    }
  }

  std::vector<server::HandedSocket> sockets() const {
    std::vector<server::HandedSocket> all;
    if (unix_ != nullptr) {
      all.push_back({.fd = unix_->native_handle(), .listener = std::string(kHandedName)});
    }
    if (tcp_ != nullptr) {
      all.push_back({.fd = tcp_->native_handle(), .listener = std::string(kHandedName)});
    }
    return all;
  }

  void leave() {
    held_ = true;  // the file is another process's
    close_unix();
    close_tcp();
  }

  std::vector<std::string> addresses() const {
    std::vector<std::string> all;
    if (unix_ != nullptr) {
      all.push_back("unix:" + unix_path_);
    }
    if (tcp_ != nullptr) {
      error_code ignored;
      const tcp::endpoint local = tcp_->local_endpoint(ignored);
      const std::string host = local.address().to_string();
      all.push_back(fmt::format(fmt::runtime(local.address().is_v6() ? "[{}]:{}" : "{}:{}"), host,
                                local.port()));
    }
    return all;
  }

 private:
  Bound open_unix(const std::string& path) {
    if (path.empty()) {
      close_unix();
      return {};
    }
    if (const int fd = given("unix:" + path); fd >= 0) {
      auto taken = std::make_unique<stream_protocol::acceptor>(context_, stream_protocol(), fd);
      use_unix(std::move(taken), path);
      return {};
    }
    if (auto prepared = prepare_path(path); !prepared) {
      return prepared;
    }
    auto acceptor = std::make_unique<stream_protocol::acceptor>(context_);
    error_code error;
    acceptor->open(stream_protocol(), error);
    if (!error) {
      ::fchmod(acceptor->native_handle(), kSocketMode);  // so that the file is never wider
      acceptor->bind(stream_protocol::endpoint(path), error);
      ::chmod(path.c_str(), kSocketMode);  // nor narrowed by the umask
    }
    if (!error) {
      acceptor->listen(asio::socket_base::max_listen_connections, error);
    }
    if (error) {
      return bind_failure(path, error);
    }
    use_unix(std::move(acceptor), path);
    return {};
  }

  void use_unix(std::unique_ptr<stream_protocol::acceptor> acceptor, const std::string& path) {
    close_unix();
    unix_ = acceptor.get();
    unix_path_ = path;
    accept_when_due<stream_protocol>(std::move(acceptor));
    log::info("admin_listening address=unix:{}", path);
  }

  /// The socket of that address that another process had; -1: there is none.
  int given(const std::string& address) const {
    const auto wanted = net::Address::parse(address);
    const std::vector<int> taken =
        given_ != nullptr && wanted ? given_->take(kHandedName, *wanted) : std::vector<int>{};
    for (size_t i = 1; i < taken.size(); ++i) {
      ::close(taken[i]);
    }
    return taken.empty() ? -1 : taken.front();
  }

  template <class Protocol>
  void accept_when_due(std::unique_ptr<typename Protocol::acceptor> acceptor) {
    auto shared =
        std::make_shared<std::unique_ptr<typename Protocol::acceptor>>(std::move(acceptor));
    const auto start = [this, shared] {
      asio::co_spawn(context_, accept_all<Protocol>(std::move(*shared)), asio::detached);
    };
    if (held_) {
      waiting_.emplace_back(start);
    } else {
      start();
    }
  }

  Bound open_tcp(const std::string& bind) {
    if (bind.empty()) {
      close_tcp();
      return {};
    }
    const auto endpoint = parse_endpoint(bind);
    if (!endpoint) {
      return bind_failure(bind, std::make_error_code(std::errc::invalid_argument));
    }
    if (const int fd = given(bind); fd >= 0) {
      use_tcp(std::make_unique<tcp::acceptor>(context_, endpoint->protocol(), fd), bind);
      return {};
    }
    auto acceptor = std::make_unique<tcp::acceptor>(context_);
    error_code error;
    acceptor->open(endpoint->protocol(), error);
    if (!error) {
      acceptor->set_option(tcp::acceptor::reuse_address(true), error);
      acceptor->bind(*endpoint, error);
    }
    if (!error) {
      acceptor->listen(asio::socket_base::max_listen_connections, error);
    }
    if (error) {
      return bind_failure(bind, error);
    }
    use_tcp(std::move(acceptor), bind);
    return {};
  }

  void use_tcp(std::unique_ptr<tcp::acceptor> acceptor, const std::string& bind) {
    close_tcp();
    tcp_ = acceptor.get();
    tcp_bind_ = bind;
    accept_when_due<tcp>(std::move(acceptor));
    log::info("admin_listening address={}", addresses().back());
  }

  void close_unix() {
    if (unix_ != nullptr) {
      error_code ignored;
      std::exchange(unix_, nullptr)->close(ignored);
      if (!held_) {
        ::unlink(unix_path_.c_str());
      }
      unix_path_.clear();
    }
  }

  void close_tcp() {
    if (tcp_ != nullptr) {
      error_code ignored;
      std::exchange(tcp_, nullptr)->close(ignored);
      tcp_bind_.clear();
    }
  }

  // Owns the acceptor; ends when somebody closes it.
  template <class Protocol>
  asio::awaitable<void> accept_all(std::unique_ptr<typename Protocol::acceptor> acceptor) {
    constexpr bool kIsTcp = std::is_same_v<Protocol, tcp>;
    size_t& connections = kIsTcp ? tcp_connections_ : unix_connections_;
    const size_t most = kIsTcp ? limits_.tcp_connections_max : limits_.connections_max;
    while (acceptor->is_open()) {
      auto [error, socket] = co_await acceptor->async_accept(kUseResult);
      if (!error && acceptor->is_open() && connections < most) {
        ++connections;
        asio::co_spawn(
            context_, serve<Protocol>(std::move(socket)),
            [&connections](const std::exception_ptr& failed) { ended(connections, failed); });
      }
      if (error && error != asio::error::operation_aborted) {
        asio::steady_timer pause(context_, kAcceptPause);  // out of descriptors, most likely
        co_await pause.async_wait(kUseResult);
      }
    }
  }

  /// However it ended; not at the process's end, when frames may outlive this object.
  static void ended(size_t& connections, const std::exception_ptr& failed) {
    --connections;
    if (failed) {
      log::error("admin_connection_failed");
    }
  }

  template <class Protocol>
  asio::awaitable<void> serve(typename Protocol::socket socket) {
    using Stream = beast::basic_stream<Protocol>;
    Peer peer = peer_of(socket);
    if constexpr (std::is_same_v<Protocol, tcp>) {
      if (tls_ != nullptr) {
        co_await serve_securely(Stream(std::move(socket)), std::move(peer));
        co_return;
      }
    }
    Session<Stream> session(Stream(std::move(socket)), std::move(peer), routes_, limits_);
    co_await session.run();
  }

  asio::awaitable<void> serve_securely(beast::basic_stream<tcp> stream, Peer peer) {
    using Stream = beast::ssl_stream<beast::basic_stream<tcp>>;
    const TlsContext::Ptr context = tls_->current();  // outlives the stream
    Stream secure(std::move(stream), *context);
    beast::get_lowest_layer(secure).expires_after(limits_.timeout);
    auto [error] = co_await secure.async_handshake(asio::ssl::stream_base::server, kUseResult);
    if (error) {
      co_return;
    }
    if (const std::string subject = tls::peer_subject(secure.native_handle()); !subject.empty()) {
      peer.text += " cert=" + subject;
    }
    Session<Stream> session(std::move(secure), std::move(peer), routes_, limits_);
    co_await session.run();
  }

  /// Beside the control thread, one after the other: slow on purpose.
  void verify(const std::string& hash, std::string password, std::function<void(bool)> done) {
    asio::post(passwords_,
               [this, hash, password = std::move(password), done = std::move(done)]() mutable {
                 const bool right = identity::verify_password(hash, password);
                 identity::wipe(password);
                 asio::post(context_, [done = std::move(done), right] { done(right); });
               });
  }

  /// So that the audit log knows of a session's end when it ends.
  void watch_sessions() {
    session_timer_.expires_after(kSessionWatch);
    session_timer_.async_wait([this](error_code error) {
      if (!error) {
        record_ended(routes_);
        watch_sessions();
      }
    });
  }

  asio::io_context& context_;
  ServerLimits limits_;
  std::unique_ptr<TlsContext> tls_;  // of TCP; nullptr: in the clear
  Administrators administrators_{uid_of_account};
  Context routes_;
  asio::thread_pool passwords_{1};
  asio::steady_timer session_timer_;
  stream_protocol::acceptor* unix_ = nullptr;  // owned by its accept_all()
  tcp::acceptor* tcp_ = nullptr;
  std::string unix_path_;
  std::string tcp_bind_;
  std::shared_ptr<net::InheritedSockets> given_;
  std::vector<std::function<void()>> waiting_;  // acceptors, until begin()
  bool held_ = false;  // another process serves: what is shared is not ours
  size_t unix_connections_ = 0;
  size_t tcp_connections_ = 0;
};

Server::Server(asio::io_context& context, control::Daemon& daemon, ServerLimits limits)
    : impl_(std::make_unique<Impl>(context, daemon, limits)) {}

Server::~Server() = default;

Result<void, BindError> Server::apply(const config::Admin& admin) {
  return impl_->apply(admin);
}

void Server::inherit(std::shared_ptr<net::InheritedSockets> given, bool held) {
  impl_->inherit(std::move(given), held);
}

void Server::begin() {
  impl_->begin();
}

std::vector<server::HandedSocket> Server::sockets() const {
  return impl_->sockets();
}

void Server::leave() {
  impl_->leave();
}

void Server::close() {
  impl_->close();
}

std::vector<std::string> Server::addresses() const {
  return impl_->addresses();
}

}  // namespace hangu::admin
