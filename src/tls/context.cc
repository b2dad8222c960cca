#include "tls/context.h"

#include <cerrno>
#include <cstring>

#include <openssl/pem.h>

#include "hangu/base/file_bytes.h"

namespace hangu::tls {
namespace {

constexpr size_t kPemBytesMax = size_t{64} * 1024 * 1024;  // revocation lists can be long

int version_number(Version version) {
  return version == Version::kTls12 ? TLS1_2_VERSION : TLS1_3_VERSION;
}

/// A key that asks for a pass phrase must not make the process wait at a terminal.
int no_pass_phrase(char*, int, int, void*) {
  return 0;
}

}  // namespace

std::string read_file(const std::string& path, Problems& problems) {
  Result<std::string, std::error_code> text = read_whole_file(path, kPemBytesMax);
  if (!text) {
    problems.push_back({path, text.error().message()});
    return {};
  }
  return std::move(*text);
}

SslContext make_context(const SSL_METHOD* method, const Policy& policy, Problems& problems) {
  SslContext context(SSL_CTX_new(method));
  SSL_CTX* const raw = context.get();
  SSL_CTX_set_options(raw, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                               SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                            SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_min_proto_version(raw, version_number(policy.version_min));
  SSL_CTX_set_max_proto_version(raw, version_number(policy.version_max));
  if (!policy.ciphers.empty() && SSL_CTX_set_cipher_list(raw, policy.ciphers.c_str()) != 1) {
    problems.push_back({"ciphers", take_reason("no cipher of the list is known")});
  }
  if (!policy.cipher_suites.empty() &&
      SSL_CTX_set_ciphersuites(raw, policy.cipher_suites.c_str()) != 1) {
    problems.push_back({"cipher_suites", take_reason("no cipher suite of the list is known")});
  }
  if (!policy.groups.empty() && SSL_CTX_set1_groups_list(raw, policy.groups.c_str()) != 1) {
    problems.push_back({"groups", take_reason("a group of the list is not known")});
  }
  return context;
}

Certificate use_certificate(SSL_CTX* context, const CertificateFiles& files, Problems& problems) {
  const std::string chain = read_file(files.certificate, problems);
  const std::string key_text = read_file(files.key, problems);
  if (!problems.empty()) {
    return nullptr;
  }
  ERR_clear_error();
  const Bio chain_bio(BIO_new_mem_buf(chain.data(), static_cast<int>(chain.size())));
  Certificate certificate(PEM_read_bio_X509(chain_bio.get(), nullptr, nullptr, nullptr));
  if (certificate == nullptr) {
    problems.push_back({files.certificate, "holds no certificate in PEM"});
    return nullptr;
  }
  const Bio key_bio(BIO_new_mem_buf(key_text.data(), static_cast<int>(key_text.size())));
  const PrivateKey key(PEM_read_bio_PrivateKey(key_bio.get(), nullptr, no_pass_phrase, nullptr));
  if (key == nullptr) {
    problems.push_back({files.key, "holds no private key in PEM, or an encrypted one"});
    return nullptr;
  }
  if (X509_check_private_key(certificate.get(), key.get()) != 1) {
    problems.push_back({files.key, "is not the key of " + files.certificate});
    return nullptr;
  }
  if (SSL_CTX_use_certificate(context, certificate.get()) != 1 ||
      SSL_CTX_use_PrivateKey(context, key.get()) != 1) {
    problems.push_back({files.certificate, take_reason("cannot be used")});
    return nullptr;
  }
  SSL_CTX_clear_chain_certs(context);
  while (X509* issuer = PEM_read_bio_X509(chain_bio.get(), nullptr, nullptr, nullptr)) {
    SSL_CTX_add0_chain_cert(context, issuer);
  }
  ERR_clear_error();
  return certificate;
}

std::string wire_protocols(const std::vector<std::string>& protocols) {
  std::string wire;
  for (const std::string& protocol : protocols) {
    wire += static_cast<char>(protocol.size());
    wire += protocol;
  }
  return wire;
}

}  // namespace hangu::tls
