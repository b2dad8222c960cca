#include "hangu/tls/blocking_stream.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include <fmt/format.h>
#include <openssl/x509v3.h>

#include "hangu/tls/native.h"

#include "tls/openssl.h"

namespace hangu::tls {
namespace {

struct FreeAddresses {
  void operator()(addrinfo* list) const noexcept { ::freeaddrinfo(list); }
};

int milliseconds(Duration duration) {
  return static_cast<int>(duration / std::chrono::milliseconds(1));
}

bool wait_for(int fd, short events, Duration at_most) {
  pollfd waiting{.fd = fd, .events = events, .revents = 0};
  return ::poll(&waiting, 1, milliseconds(at_most)) == 1;
}

Failure<std::string> connect_failure(const BlockingOptions& options, std::string_view why) {
  return {fmt::format("{}:{}: {}", options.host, options.port, why)};
}

/// A connected socket that does not block; -1, with errno set.
int connect_to(const addrinfo& address, Duration timeout) {
  const int fd = ::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) {
    return -1;
  }
  int error = 0;
  if (::connect(fd, address.ai_addr, address.ai_addrlen) != 0) {
    error = errno;
    if (error == EINPROGRESS) {
      socklen_t size = sizeof error;
      error = ETIMEDOUT;
      if (wait_for(fd, POLLOUT, timeout)) {
        ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
      }
    }
  }
  if (error != 0) {
    ::close(fd);
    errno = error;
    return -1;
  }
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  return fd;
}

class PlainStream : public BlockingStream {
 public:
  PlainStream(int fd, Duration timeout)
      : fd_(fd),
        timeout_(timeout) {}

  ~PlainStream() override { ::close(fd_); }

  size_t write(std::string_view bytes) override {
    size_t done = 0;
    while (done < bytes.size()) {
      const ssize_t wrote = ::send(fd_, bytes.data() + done, bytes.size() - done, MSG_NOSIGNAL);
      if (wrote > 0) {
        done += static_cast<size_t>(wrote);
      } else if (errno != EINTR && (errno != EAGAIN || !wait_for(fd_, POLLOUT, timeout_))) {
        break;
      }
    }
    return done;
  }

  bool alive() override {
    char dropped[256];
    const ssize_t got = ::recv(fd_, dropped, sizeof dropped, MSG_DONTWAIT);
    return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
  }

 protected:
  int fd_;
  Duration timeout_;
};

class TlsStream final : public PlainStream {
 public:
  TlsStream(int fd, Duration timeout)
      : PlainStream(fd, timeout) {}

  ~TlsStream() override {
    if (ssl_ != nullptr) {
      SSL_shutdown(ssl_.get());
      ERR_clear_error();
    }
  }

  /// Empty when all went well, else why not.
  std::string handshake(const BlockingOptions& options) {
    const SslContext context(SSL_CTX_new(TLS_client_method()));
    if (std::string problem = load(context.get(), options); !problem.empty()) {
      return problem;
    }
    ssl_.reset(SSL_new(context.get()));
    const std::string& name = options.server_name.empty() ? options.host : options.server_name;
    in6_addr address{};
    if (::inet_pton(AF_INET, name.c_str(), &address) == 1 ||
        ::inet_pton(AF_INET6, name.c_str(), &address) == 1) {
      X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_.get()), name.c_str());
    } else {
      name_host(ssl_.get(), name);
      SSL_set1_host(ssl_.get(), name.c_str());
    }
    SSL_set_fd(ssl_.get(), fd_);
    int result = SSL_connect(ssl_.get());
    while (result != 1 && wait_after(result)) {
      result = SSL_connect(ssl_.get());
    }
    const long verified = SSL_get_verify_result(ssl_.get());
    if (result == 1) {
      return {};
    }
    return verified != X509_V_OK ? X509_verify_cert_error_string(verified)
                                 : take_reason("the TLS handshake failed");
  }

  size_t write(std::string_view bytes) override {
    size_t done = 0;
    while (done < bytes.size()) {
      size_t wrote = 0;
      const int result = SSL_write_ex(ssl_.get(), bytes.data() + done, bytes.size() - done, &wrote);
      if (result == 1) {
        done += wrote;
      } else if (!wait_after(result)) {
        ERR_clear_error();
        break;
      }
    }
    return done;
  }

  bool alive() override {
    char dropped[256];
    const int result = SSL_read(ssl_.get(), dropped, sizeof dropped);
    const int error = SSL_get_error(ssl_.get(), result);
    ERR_clear_error();
    return result > 0 || error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
  }

 private:
  static std::string load(SSL_CTX* context, const BlockingOptions& options) {
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE);
    if (options.ca.empty()) {
      SSL_CTX_set_default_verify_paths(context);
    } else if (SSL_CTX_load_verify_file(context, options.ca.c_str()) != 1) {
      return options.ca + ": " + take_reason("holds no certificate in PEM");
    }
    const bool loaded =
        options.certificate.empty() ||
        (SSL_CTX_use_certificate_chain_file(context, options.certificate.c_str()) == 1 &&
         SSL_CTX_use_PrivateKey_file(context, options.key.c_str(), SSL_FILETYPE_PEM) == 1);
    return loaded ? std::string()
                  : options.certificate + ": " + take_reason("is no certificate with its key");
  }

  bool wait_after(int result) {
    switch (SSL_get_error(ssl_.get(), result)) {
      case SSL_ERROR_WANT_READ: return wait_for(fd_, POLLIN, timeout_);
      case SSL_ERROR_WANT_WRITE: return wait_for(fd_, POLLOUT, timeout_);
      default: return false;
    }
  }

  Ssl ssl_;
};

}  // namespace

Result<std::unique_ptr<BlockingStream>, std::string> BlockingStream::connect(
    const BlockingOptions& options) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(options.host.c_str(), options.port.c_str(), &hints, &found);
  const std::unique_ptr<addrinfo, FreeAddresses> addresses(found);
  if (error != 0) {
    return connect_failure(options, ::gai_strerror(error));
  }
  int fd = -1;
  for (const addrinfo* each = found; each != nullptr && fd < 0; each = each->ai_next) {
    fd = connect_to(*each, options.timeout);
  }
  if (fd < 0) {
    return connect_failure(options, std::generic_category().message(errno));
  }
  if (!options.tls) {
    return std::unique_ptr<BlockingStream>(std::make_unique<PlainStream>(fd, options.timeout));
  }
  auto stream = std::make_unique<TlsStream>(fd, options.timeout);
  if (const std::string problem = stream->handshake(options); !problem.empty()) {
    return connect_failure(options, problem);
  }
  return std::unique_ptr<BlockingStream>(std::move(stream));
}

}  // namespace hangu::tls
