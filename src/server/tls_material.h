// TlsMaterial: the certificates and keys in force, as they were read of their files, and what
// session tickets are sealed with. What cannot be read leaves what was there. Control thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hangu/base/result.h"
#include "hangu/config/config.h"
#include "hangu/server/gateway.h"
#include "hangu/server/tls_contexts.h"

namespace hangu::server {

class TlsMaterial {
 public:
  /// Each with a number that changes with it; see tls_files().
  using Files = std::map<std::string, int64_t>;

  /// What is new.
  struct News {
    bool files = false;
    Files before;
  };

  void begin_with(TicketSecrets tickets) { tickets_ = std::move(tickets); }

  Result<void, std::string> load(const config::Config& config);

  /// Loads what has changed, or rotates keys. nullopt: everything is as it was.
  std::optional<News> refresh(const config::Config& config);

  /// Of tickets, from the next refresh() on that finds its files. false: they are used already.
  bool share(std::vector<std::string> secrets);

  const TlsContexts& contexts() const { return contexts_; }

  void go_back(TlsContexts contexts) { contexts_ = std::move(contexts); }

  const TicketSecrets& tickets() const { return tickets_; }

  const Files& files() const { return files_; }

  /// nullptr: that upstream is spoken to without.
  std::shared_ptr<const tls::ClientContext> of_upstream(std::string_view name) const;

  std::vector<CertificateStatus> certificates() const;

 private:
  TlsContexts contexts_;
  TicketSecrets tickets_;
  bool shared_waits_ = false;
  Files files_;
};

}  // namespace hangu::server
