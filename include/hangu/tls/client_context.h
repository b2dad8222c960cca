// ClientContext: all that an upstream needs to be spoken to over TLS. Made on the control thread;
// then shared by all shards.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "hangu/tls/server_context.h"

namespace hangu::tls {

struct ClientOptions {
  bool verify = true;
  std::string ca;           // PEM; empty: the system's
  std::string certificate;  // PEM, of ours; may be empty
  std::string key;
  Policy policy;
  std::vector<std::string> protocols;  // ALPN
};

/// The last session with one server, to be resumed. One thread.
class SessionCache {
 public:
  virtual ~SessionCache() = default;
};

class ClientContext {
 public:
  static Result<std::shared_ptr<const ClientContext>, std::vector<FileProblem>> create(
      const ClientOptions& options);

  virtual ~ClientContext() = default;

  virtual std::shared_ptr<SessionCache> make_cache() const = 0;

  /// The client's side of one connection to `name`: a host name or an address, which the
  /// certificate must name. The connection keeps `cache` alive: a server may send a session late.
  virtual std::unique_ptr<net::SecurityLayer> connect(const std::string& name,
                                                      const std::shared_ptr<SessionCache>& cache,
                                                      buffer::BlockPool& small,
                                                      buffer::BlockPool& large) const = 0;
};

}  // namespace hangu::tls
