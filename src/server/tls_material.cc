#include "server/tls_material.h"

#include <ctime>
#include <utility>

#include "hangu/base/log.h"

namespace hangu::server {

Result<void, std::string> TlsMaterial::load(const config::Config& config) {
  auto loaded = load_tls(config, tickets_, std::time(nullptr));
  if (!loaded) {
    std::string text;
    for (const TlsProblem& problem : loaded.error()) {
      text += (text.empty() ? "" : "; ") + to_string(problem);
    }
    return Failure<std::string>{text};
  }
  contexts_ = std::move(*loaded);
  files_ = tls_files(config);
  shared_waits_ = false;
  for (const std::string& warning : too_early(contexts_, std::time(nullptr))) {
    log::warning("event=certificate_too_early {}", warning);
  }
  return {};
}

std::optional<TlsMaterial::News> TlsMaterial::refresh(const config::Config& config) {
  const bool changed = tls_files(config) != files_;
  if (!changed && !shared_waits_ && !rotation_due(config, tickets_, std::time(nullptr))) {
    return std::nullopt;
  }
  News news{.files = changed, .before = files_};
  if (const auto loaded = load(config); !loaded) {
    files_ = tls_files(config);
    if (changed) {  // said once
      log::error("event=certificates_not_loaded error=\"{}\"", loaded.error());
    }
    return std::nullopt;
  }
  if (changed) {
    log::info("event=certificates_loaded files={}", files_.size());
  }
  return news;
}

bool TlsMaterial::share(std::vector<std::string> secrets) {
  if (tickets_.shared == secrets) {
    return false;
  }
  tickets_.shared = std::move(secrets);
  shared_waits_ = true;
  return true;
}

std::shared_ptr<const tls::ClientContext> TlsMaterial::of_upstream(std::string_view name) const {
  const auto found = contexts_.upstreams.find(std::string(name));
  return found != contexts_.upstreams.end() ? found->second : nullptr;
}

std::vector<CertificateStatus> TlsMaterial::certificates() const {
  std::vector<CertificateStatus> all;
  for (const auto& [listener, context] : contexts_.listeners) {
    for (const tls::CertificateInfo& info : context->certificates()) {
      all.push_back({.listener = listener, .info = info});
    }
  }
  return all;
}

}  // namespace hangu::server
