#include "hangu/tls/client_context.h"

#include <arpa/inet.h>

#include <openssl/x509v3.h>

#include "hangu/tls/native.h"

#include "tls/context.h"
#include "tls/stream.h"

namespace hangu::tls {
namespace {

using Session = std::unique_ptr<SSL_SESSION, Freed<SSL_SESSION_free>>;

/// What its connections refer to: the session, and the context it belongs to.
class SessionCacheImpl final : public SessionCache {
 public:
  explicit SessionCacheImpl(std::shared_ptr<const ClientContext> owner)
      : context(std::move(owner)) {}

  std::shared_ptr<const ClientContext> context;
  Session session;
};

bool is_address(const std::string& name) {
  unsigned char bytes[16];
  return inet_pton(AF_INET, name.c_str(), bytes) == 1 ||
         inet_pton(AF_INET6, name.c_str(), bytes) == 1;
}

class ClientContextImpl final : public ClientContext,
                                public std::enable_shared_from_this<ClientContextImpl> {
 public:
  explicit ClientContextImpl(const ClientOptions& options)
      : options_(options) {}

  Problems load() {
    Problems problems;
    context_ = make_context(TLS_client_method(), options_.policy, problems);
    SSL_CTX* const context = context_.get();
    if (options_.verify) {
      SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
      if (options_.ca.empty()) {
        SSL_CTX_set_default_verify_paths(context);
      } else if (SSL_CTX_load_verify_file(context, options_.ca.c_str()) != 1) {
        problems.push_back({options_.ca, take_reason("holds no certificate in PEM")});
      }
    }
    if (!options_.certificate.empty()) {
      static_cast<void>(use_certificate(
          context, {.certificate = options_.certificate, .key = options_.key}, problems));
    }
    if (!options_.protocols.empty()) {
      const std::string wire = wire_protocols(options_.protocols);
      SSL_CTX_set_alpn_protos(context, reinterpret_cast<const unsigned char*>(wire.data()),
                              static_cast<unsigned>(wire.size()));
    }
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, on_session);
    return problems;
  }

  std::shared_ptr<SessionCache> make_cache() const override {
    return std::make_shared<SessionCacheImpl>(shared_from_this());
  }

  std::unique_ptr<net::SecurityLayer> connect(const std::string& name,
                                              const std::shared_ptr<SessionCache>& cache,
                                              buffer::BlockPool& small,
                                              buffer::BlockPool& large) const override {
    Ssl ssl(SSL_new(context_.get()));
    auto& sessions = static_cast<SessionCacheImpl&>(*cache);
    SSL_set_ex_data(ssl.get(), 0, &sessions);
    if (is_address(name)) {
      X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl.get()), name.c_str());
    } else {
      name_host(ssl.get(), name);
      SSL_set1_host(ssl.get(), name.c_str());
    }
    if (sessions.session != nullptr) {
      SSL_set_session(ssl.get(), sessions.session.get());
    }
    SSL_set_connect_state(ssl.get());
    return std::make_unique<Stream>(std::move(ssl), cache, small, large);
  }

 private:
  /// Keeps the session: 1 says that the reference is ours now.
  static int on_session(SSL* ssl, SSL_SESSION* session) {
    static_cast<SessionCacheImpl*>(SSL_get_ex_data(ssl, 0))->session.reset(session);
    return 1;
  }

  ClientOptions options_;
  SslContext context_;
};

}  // namespace

Result<std::shared_ptr<const ClientContext>, std::vector<FileProblem>> ClientContext::create(
    const ClientOptions& options) {
  auto context = std::make_shared<ClientContextImpl>(options);
  Problems problems = context->load();
  if (!problems.empty()) {
    return Failure<Problems>{std::move(problems)};
  }
  return std::shared_ptr<const ClientContext>(std::move(context));
}

}  // namespace hangu::tls
