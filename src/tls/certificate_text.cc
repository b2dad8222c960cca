#include "tls/certificate_text.h"

#include <arpa/inet.h>

#include <array>

#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "tls/openssl.h"

namespace hangu::tls {
namespace {

std::string name_text(const X509_NAME* name) {
  const Bio out(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return {text, static_cast<size_t>(size)};
}

std::string hexadecimal(const unsigned char* bytes, size_t size) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (size_t i = 0; i < size; ++i) {
    text += kDigits[bytes[i] >> 4];
    text += kDigits[bytes[i] & 0x0f];
  }
  return text;
}

std::string string_of(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<size_t>(ASN1_STRING_length(text))};
}

std::string address_text(const ASN1_OCTET_STRING* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = ASN1_STRING_length(address) == 4 ? AF_INET : AF_INET6;
  inet_ntop(family, ASN1_STRING_get0_data(address), text.data(), text.size());
  return text.data();
}

std::time_t time_of(const ASN1_TIME* time) {
  std::tm parts{};
  ASN1_TIME_to_tm(time, &parts);
  return timegm(&parts);
}

}  // namespace

std::string subject_text(const X509* certificate) {
  return name_text(X509_get_subject_name(certificate));
}

std::string issuer_text(const X509* certificate) {
  return name_text(X509_get_issuer_name(certificate));
}

std::vector<AlternativeName> alternative_names(const X509* certificate) {
  std::vector<AlternativeName> found;
  auto* const names = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names, i);
    using Kind = AlternativeName::Kind;
    switch (name->type) {
      case GEN_DNS: found.push_back({Kind::kDns, string_of(name->d.dNSName)}); break;
      case GEN_URI:
        found.push_back({Kind::kUri, string_of(name->d.uniformResourceIdentifier)});
        break;
      case GEN_EMAIL: found.push_back({Kind::kEmail, string_of(name->d.rfc822Name)}); break;
      case GEN_IPADD: found.push_back({Kind::kIp, address_text(name->d.iPAddress)}); break;
      default: break;
    }
  }
  GENERAL_NAMES_free(names);
  return found;
}

/// Names are told apart by commas and compared with rules: none may hide another in itself.
std::string escaped(std::string_view name) {
  std::string text;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = byte > ' ' && byte < 0x7f && c != ',';
    text += plain ? std::string(1, c) : fmt::format("%{:02X}", byte);
  }
  return text;
}

std::string alternative_names_text(const X509* certificate) {
  constexpr std::array<const char*, 5> kLabels = {"DNS:", "URI:", "email:", "IP:", ""};
  std::string text;
  for (const AlternativeName& name : alternative_names(certificate)) {
    text += text.empty() ? "" : ", ";
    text += kLabels[static_cast<size_t>(name.kind)] + escaped(name.text);
  }
  return text;
}

std::string serial_text(const X509* certificate) {
  const ASN1_INTEGER* serial = X509_get0_serialNumber(certificate);
  return hexadecimal(ASN1_STRING_get0_data(serial),
                     static_cast<size_t>(ASN1_STRING_length(serial)));
}

std::string fingerprint_text(const X509* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  X509_digest(certificate, EVP_sha256(), digest.data(), &size);
  return hexadecimal(digest.data(), size);
}

std::time_t not_before(const X509* certificate) {
  return time_of(X509_get0_notBefore(certificate));
}

std::time_t not_after(const X509* certificate) {
  return time_of(X509_get0_notAfter(certificate));
}

std::string key_text(const X509* certificate) {
  const EVP_PKEY* key = X509_get0_pubkey(certificate);
  if (key == nullptr) {
    return "unknown";
  }
  std::string text = EVP_PKEY_get0_type_name(key);
  std::array<char, 64> group{};
  size_t size = 0;
  if (EVP_PKEY_get_group_name(key, group.data(), group.size(), &size) == 1) {
    return text + " " + group.data();
  }
  return text == "RSA" ? text + " " + std::to_string(EVP_PKEY_get_bits(key)) : text;
}

}  // namespace hangu::tls
