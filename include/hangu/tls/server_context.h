// ServerContext: all that a listener needs to speak TLS: certificates by name, what is offered, how
// clients are known. Made from files on the control thread; then immutable, shared by all shards. A
// connection keeps the context it began with.
#pragma once

#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hangu/base/result.h"
#include "hangu/buffer/block.h"
#include "hangu/net/security_layer.h"
#include "hangu/tls/ticket_keys.h"

namespace hangu::tls {

enum class Version : unsigned char { kTls12, kTls13 };

/// What is offered. Empty lists: OpenSSL's defaults.
struct Policy {
  Version version_min = Version::kTls12;
  Version version_max = Version::kTls13;
  std::string ciphers;        // of TLS 1.2, in OpenSSL's notation
  std::string cipher_suites;  // of TLS 1.3
  std::string groups;
};

struct CertificateFiles {
  std::string certificate;         // PEM: the certificate, then its issuers
  std::string key;                 // PEM
  std::string ocsp;                // DER: a response to be stapled; may be empty
  std::vector<std::string> names;  // empty: those in the certificate
};

enum class ClientAuth : unsigned char { kNone, kRequest, kRequire };

struct ServerOptions {
  std::vector<CertificateFiles> certificates;  // the first answers for unknown names
  Policy policy;
  std::vector<std::string> protocols;  // ALPN, the most wanted first
  ClientAuth client_auth = ClientAuth::kNone;
  std::string client_ca;   // PEM
  std::string client_crl;  // PEM; may be empty
  int client_depth = 3;
  std::vector<std::string> client_names;  // "dns:*.example.org", "uri:...", "email:..."; empty: any
  std::optional<TicketKeys> ticket_keys;  // none: no tickets
  /// Bytes taken before the handshake is over. They can be replayed as long as the ticket they came
  /// with can be opened: there is no memory of those seen.
  uint32_t early_data_max = 0;
};

/// A file that is no good, and why.
struct FileProblem {
  std::string file;
  std::string what;
};

struct CertificateInfo {
  std::string file;
  std::string subject;
  std::string issuer;
  std::string names;
  std::string key;  // "EC prime256v1"
  std::string fingerprint;
  std::time_t not_before = 0;
  std::time_t not_after = 0;
};

class ServerContext {
 public:
  static Result<std::shared_ptr<const ServerContext>, std::vector<FileProblem>> create(
      const ServerOptions& options);

  virtual ~ServerContext() = default;

  /// The server's side of one connection.
  virtual std::unique_ptr<net::SecurityLayer> accept(buffer::BlockPool& small,
                                                     buffer::BlockPool& large) const = 0;

  virtual const std::vector<CertificateInfo>& certificates() const = 0;
};

}  // namespace hangu::tls
