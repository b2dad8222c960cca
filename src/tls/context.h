// What contexts of both sides are made with.
#pragma once

#include <string>
#include <vector>

#include "hangu/tls/server_context.h"

#include "tls/openssl.h"

namespace hangu::tls {

using Problems = std::vector<FileProblem>;

/// Options, versions, ciphers and groups that both sides share.
SslContext make_context(const SSL_METHOD* method, const Policy& policy, Problems& problems);

/// Sets certificate, chain and key; the certificate.
Certificate use_certificate(SSL_CTX* context, const CertificateFiles& files, Problems& problems);

/// ["h2", "http/1.1"] as it is on the wire.
std::string wire_protocols(const std::vector<std::string>& protocols);

/// The whole file; a problem when it cannot be read.
std::string read_file(const std::string& path, Problems& problems);

}  // namespace hangu::tls
