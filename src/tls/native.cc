#include "hangu/tls/native.h"

#include <array>
#include <string_view>

#include "tls/openssl.h"

namespace hangu::tls {
namespace {

constexpr size_t kSubjectBytesMax = 256;

}  // namespace

void harden_server(SSL_CTX* context) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
  SSL_CTX_set_num_tickets(context, 0);
}

std::string peer_subject(SSL* connection) {
  const Certificate certificate(SSL_get1_peer_certificate(connection));
  if (certificate == nullptr) {
    return "";
  }
  std::array<char, kSubjectBytesMax> text{};
  X509_NAME_oneline(X509_get_subject_name(certificate.get()), text.data(),
                    static_cast<int>(text.size()));
  std::string out;
  for (const char c : std::string_view(text.data())) {
    out += c > ' ' && c != 0x7f ? c : '_';
  }
  return out;
}

void name_host(SSL* connection, const std::string& host) {
  std::string name = host;  // OpenSSL copies it, and does not say so
  SSL_ctrl(connection, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data());
}

}  // namespace hangu::tls
