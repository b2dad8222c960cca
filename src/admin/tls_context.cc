#include "admin/tls_context.h"

#include <sys/stat.h>

#include <memory>
#include <utility>

#include <fmt/format.h>

#include "hangu/base/log.h"
#include "hangu/tls/native.h"

namespace hangu::admin {
namespace {

namespace ssl = boost::asio::ssl;
using boost::system::error_code;

std::string failure(const std::string& file, const error_code& error) {
  return fmt::format("{}: {}", file, error.message());
}

}  // namespace

TlsContext::TlsContext(config::AdminTls files)
    : files_(std::move(files)) {}

Result<std::unique_ptr<TlsContext>, std::string> TlsContext::load(const config::AdminTls& files) {
  std::unique_ptr<TlsContext> out(new TlsContext(files));
  out->seen_ = out->state_of_files();
  auto made = out->make();
  if (!made) {
    return Failure<std::string>{made.error()};
  }
  out->context_ = std::move(*made);
  return out;
}

TlsContext::Ptr TlsContext::current() {
  const std::string now = state_of_files();
  if (now != seen_) {
    seen_ = now;
    if (auto made = make()) {
      context_ = std::move(*made);
      log::info("admin_certificate_read file={}", files_.certificate);
    } else {
      log::error("admin_certificate_unusable error=\"{}\"", made.error());
    }
  }
  return context_;
}

Result<TlsContext::Ptr, std::string> TlsContext::make() const {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  tls::harden_server(context->native_handle());
  error_code error;
  if (context->use_certificate_chain_file(files_.certificate, error)) {
    return Failure<std::string>{failure(files_.certificate, error)};
  }
  if (context->use_private_key_file(files_.key, ssl::context::pem, error)) {
    return Failure<std::string>{failure(files_.key, error)};
  }
  if (!files_.client_ca.empty()) {
    if (context->load_verify_file(files_.client_ca, error)) {
      return Failure<std::string>{failure(files_.client_ca, error)};
    }
    context->set_verify_mode(ssl::verify_peer | ssl::verify_fail_if_no_peer_cert, error);
  }
  return context;
}

std::string TlsContext::state_of_files() const {
  std::string out;
  for (const std::string& file : {files_.certificate, files_.key, files_.client_ca}) {
    struct stat info {};

    if (!file.empty() && ::stat(file.c_str(), &info) == 0) {
      out += fmt::format("{}:{}:{}.{} ", info.st_ino, info.st_size, info.st_mtim.tv_sec,
                         info.st_mtim.tv_nsec);
    }
  }
  return out;
}

}  // namespace hangu::admin
