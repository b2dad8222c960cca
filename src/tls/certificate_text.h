// What a certificate says, as text.
#pragma once

#include <ctime>
#include <string>
#include <vector>

#include <openssl/x509.h>

namespace hangu::tls {

/// RFC 2253: "CN=a.example,O=Example".
std::string subject_text(const X509* certificate);
std::string issuer_text(const X509* certificate);
/// "DNS:a.example, URI:spiffe://example/a, IP:192.0.2.1".
std::string alternative_names_text(const X509* certificate);
/// In hexadecimal.
std::string serial_text(const X509* certificate);
/// SHA-256, in hexadecimal.
std::string fingerprint_text(const X509* certificate);

struct AlternativeName {
  enum class Kind : unsigned char { kDns, kUri, kEmail, kIp, kOther };

  Kind kind = Kind::kOther;
  std::string text;
};

std::vector<AlternativeName> alternative_names(const X509* certificate);

/// Seconds since 1970.
std::time_t not_before(const X509* certificate);
std::time_t not_after(const X509* certificate);

/// "RSA 2048", "EC prime256v1", "ED25519".
std::string key_text(const X509* certificate);

}  // namespace hangu::tls
