// What users of Boost.Asio's TLS need of OpenSSL beyond it: so that nobody else includes its
// headers. Any thread, one at a time for an object.
#pragma once

#include <string>

// OpenSSL's, without its headers.
struct ssl_ctx_st;
struct ssl_st;

namespace hangu::tls {

/// TLS 1.2 and later; each connection makes a handshake of its own, so that certificates of clients
/// are looked at each time.
void harden_server(ssl_ctx_st* context);

/// Of the certificate that the other side has shown, in printable characters: "/CN=li-wei"; empty:
/// it has shown none.
std::string peer_subject(ssl_st* connection);

/// Names the host that is wanted (SNI). Before the handshake.
void name_host(ssl_st* connection, const std::string& host);

}  // namespace hangu::tls
