#include "hangu/tls/server_context.h"

#include <algorithm>
#include <array>
#include <functional>
#include <unordered_map>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "hangu/base/letter_case.h"

#include "tls/certificate_text.h"
#include "tls/context.h"
#include "tls/stream.h"

namespace hangu::tls {
namespace {

/// "*.example.org" stands for one label in front.
bool name_matches(std::string_view rule, std::string_view name) {
  if (!rule.starts_with("*.")) {
    return rule == name;
  }
  const size_t dot = name.find('.');
  return dot != std::string_view::npos && dot != 0 && name.substr(dot) == rule.substr(1);
}

class ServerContextImpl final : public ServerContext,
                                public std::enable_shared_from_this<ServerContextImpl> {
 public:
  explicit ServerContextImpl(const ServerOptions& options)
      : options_(options),
        protocols_(wire_protocols(options.protocols)) {}

  Problems load() {
    Problems problems;
    for (const CertificateFiles& files : options_.certificates) {
      add(files, problems);
    }
    return problems;
  }

  std::unique_ptr<net::SecurityLayer> accept(buffer::BlockPool& small,
                                             buffer::BlockPool& large) const override {
    Ssl ssl(SSL_new(entries_.front()->context.get()));
    SSL_set_accept_state(ssl.get());
    auto stream = std::make_unique<Stream>(std::move(ssl), shared_from_this(), small, large);
    if (options_.early_data_max != 0) {
      stream->allow_early_data();
    }
    return stream;
  }

  const std::vector<CertificateInfo>& certificates() const override { return infos_; }

 private:
  /// Certificates for the same names: one of each kind of key.
  struct Entry {
    SslContext context;
    std::vector<std::string> names;
    std::string ocsp;
  };

  static ServerContextImpl& self(SSL_CTX* context) {
    return *static_cast<ServerContextImpl*>(SSL_CTX_get_app_data(context));
  }

  void add(const CertificateFiles& files, Problems& problems) {
    Problems found;
    SslContext scratch(SSL_CTX_new(TLS_server_method()));
    const Certificate certificate = use_certificate(scratch.get(), files, found);
    if (certificate == nullptr) {
      problems.insert(problems.end(), found.begin(), found.end());
      return;
    }
    const std::vector<std::string> names = names_of(files, certificate.get());
    infos_.push_back({.file = files.certificate,
                      .subject = subject_text(certificate.get()),
                      .issuer = issuer_text(certificate.get()),
                      .names = alternative_names_text(certificate.get()),
                      .key = key_text(certificate.get()),
                      .fingerprint = fingerprint_text(certificate.get()),
                      .not_before = not_before(certificate.get()),
                      .not_after = not_after(certificate.get())});
    auto same = std::find_if(entries_.begin(), entries_.end(),
                             [&](const auto& entry) { return entry->names == names; });
    if (same == entries_.end()) {
      auto entry = std::make_unique<Entry>();
      entry->context = make_context(TLS_server_method(), options_.policy, found);
      entry->names = names;
      set_up(entry->context.get(), found);
      same = entries_.insert(entries_.end(), std::move(entry));
    }
    static_cast<void>(use_certificate((*same)->context.get(), files, found));
    if (!files.ocsp.empty()) {
      (*same)->ocsp = read_file(files.ocsp, found);
    }
    problems.insert(problems.end(), found.begin(), found.end());
  }

  static std::vector<std::string> names_of(const CertificateFiles& files, const X509* certificate) {
    std::vector<std::string> names;
    for (const std::string& name : files.names) {
      names.push_back(lower_case(name));
    }
    if (names.empty()) {
      for (const AlternativeName& name : alternative_names(certificate)) {
        if (name.kind == AlternativeName::Kind::kDns) {
          names.push_back(lower_case(name.text));
        }
      }
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  void set_up(SSL_CTX* context, Problems& problems) {
    SSL_CTX_set_app_data(context, this);
    // OpenSSL's macros for these cast as C does.
    SSL_CTX_callback_ctrl(context, SSL_CTRL_SET_TLSEXT_SERVERNAME_CB,
                          reinterpret_cast<void (*)()>(on_server_name));
    SSL_CTX_ctrl(context, SSL_CTRL_SET_TLSEXT_SERVERNAME_ARG, 0, this);
    SSL_CTX_set_alpn_select_cb(context, on_protocols, this);
    SSL_CTX_callback_ctrl(context, SSL_CTRL_SET_TLSEXT_STATUS_REQ_CB,
                          reinterpret_cast<void (*)()>(on_status));
    SSL_CTX_ctrl(context, SSL_CTRL_SET_TLSEXT_STATUS_REQ_CB_ARG, 0, this);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_timeout(context, 24 * 3600);
    if (options_.ticket_keys) {
      SSL_CTX_set_num_tickets(context, 1);
      SSL_CTX_set_tlsext_ticket_key_evp_cb(context, on_ticket);
      SSL_CTX_set_max_early_data(context, options_.early_data_max);
      SSL_CTX_set_recv_max_early_data(context, options_.early_data_max);
      SSL_CTX_set_options(context, SSL_OP_NO_ANTI_REPLAY);
    } else {
      SSL_CTX_set_num_tickets(context, 0);
      SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    }
    set_up_clients(context, problems);
  }

  /// A session is resumed only under the rules that it began under: they are its context's name.
  void set_up_clients(SSL_CTX* context, Problems& problems) {
    std::string rules = "hangu";
    if (options_.client_auth != ClientAuth::kNone) {
      rules += read_file(options_.client_ca, problems);
      if (SSL_CTX_load_verify_file(context, options_.client_ca.c_str()) != 1) {
        problems.push_back({options_.client_ca, take_reason("holds no certificate in PEM")});
      }
      SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(options_.client_ca.c_str()));
      if (!options_.client_crl.empty()) {
        rules += read_file(options_.client_crl, problems);
        X509_STORE* store = SSL_CTX_get_cert_store(context);
        X509_LOOKUP* lookup = X509_STORE_add_lookup(store, X509_LOOKUP_file());
        if (X509_load_crl_file(lookup, options_.client_crl.c_str(), X509_FILETYPE_PEM) < 1) {
          problems.push_back({options_.client_crl, take_reason("holds no CRL in PEM")});
        }
        X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK);
      }
      for (const std::string& name : options_.client_names) {
        rules += "\n" + name;
      }
      rules += options_.client_auth == ClientAuth::kRequire ? "\n\nrequire " : "\n\nrequest ";
      rules += std::to_string(options_.client_depth);
      const int mode =
          SSL_VERIFY_PEER |
          (options_.client_auth == ClientAuth::kRequire ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0);
      SSL_CTX_set_verify(context, mode, on_verify);
      SSL_CTX_set_verify_depth(context, options_.client_depth);
    }
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    EVP_Digest(rules.data(), rules.size(), digest.data(), &size, EVP_sha256(), nullptr);
    SSL_CTX_set_session_id_context(context, digest.data(), size);
  }

  Entry* find(std::string_view name) const {
    for (const bool exact : {true, false}) {
      for (const auto& entry : entries_) {
        for (const std::string& rule : entry->names) {
          if (exact ? rule == name : name_matches(rule, name)) {
            return entry.get();
          }
        }
      }
    }
    return nullptr;
  }

  static int on_server_name(SSL* ssl, int*, void* context) {
    const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    if (name != nullptr) {
      const auto& that = *static_cast<ServerContextImpl*>(context);
      if (Entry* entry = that.find(lower_case(name))) {
        SSL_set_SSL_CTX(ssl, entry->context.get());
      }
    }
    return SSL_TLSEXT_ERR_OK;
  }

  static int on_protocols(SSL*, const unsigned char** out, unsigned char* out_size,
                          const unsigned char* offered, unsigned offered_size, void* context) {
    const std::string& ours = static_cast<ServerContextImpl*>(context)->protocols_;
    unsigned char* chosen = nullptr;
    const int found = SSL_select_next_proto(
        &chosen, out_size, reinterpret_cast<const unsigned char*>(ours.data()),
        static_cast<unsigned>(ours.size()), offered, offered_size);
    *out = chosen;
    return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
  }

  static int on_status(SSL* ssl, void* context) {
    const auto& that = *static_cast<ServerContextImpl*>(context);
    const SSL_CTX* used = SSL_get_SSL_CTX(ssl);
    for (const auto& entry : that.entries_) {
      if (entry->context.get() == used && !entry->ocsp.empty()) {
        auto* copy =
            static_cast<unsigned char*>(OPENSSL_memdup(entry->ocsp.data(), entry->ocsp.size()));
        SSL_set_tlsext_status_ocsp_resp(ssl, copy, static_cast<long>(entry->ocsp.size()));
        return SSL_TLSEXT_ERR_OK;
      }
    }
    return SSL_TLSEXT_ERR_NOACK;
  }

  /// The chain is good: is it one of the names that may come here?
  static int on_verify(int good, X509_STORE_CTX* store) {
    const auto* ssl =
        static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
    const ServerContextImpl& that = self(SSL_get_SSL_CTX(ssl));
    if (good != 1 || X509_STORE_CTX_get_error_depth(store) != 0 ||
        that.options_.client_names.empty() ||
        that.may_come(X509_STORE_CTX_get_current_cert(store))) {
      return good;
    }
    X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
    return 0;
  }

  bool may_come(const X509* certificate) const {
    using Kind = AlternativeName::Kind;
    for (const AlternativeName& name : alternative_names(certificate)) {
      const std::string_view label = name.kind == Kind::kDns     ? "dns:"
                                     : name.kind == Kind::kUri   ? "uri:"
                                     : name.kind == Kind::kEmail ? "email:"
                                                                 : "ip:";
      for (const std::string& rule : options_.client_names) {
        if (rule.starts_with(label) &&
            name_matches(std::string_view(rule).substr(label.size()), name.text)) {
          return true;
        }
      }
    }
    return false;
  }

  static int on_ticket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                       EVP_MAC_CTX* mac, int seal) {
    const TicketKeys& keys = *self(SSL_get_SSL_CTX(ssl)).options_.ticket_keys;
    const TicketKey* key = &keys.current;
    if (seal == 1) {
      std::copy(key->name.begin(), key->name.end(), name);
      if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1) {
        return -1;
      }
    } else {
      key = keys.find(name);
      if (key == nullptr) {
        return 0;
      }
    }
    char digest[] = "SHA256";
    auto mac_key = key->mac_key;  // OpenSSL's parameters are not const
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, mac_key.data(), mac_key.size()),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end()};
    if (EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key->cipher_key.data(), iv, seal) !=
            1 ||
        EVP_MAC_CTX_set_params(mac, parameters) != 1) {
      return -1;
    }
    return seal == 0 && key != &keys.current ? 2 : 1;  // 2: good, but to be replaced
  }

  ServerOptions options_;
  std::string protocols_;
  std::vector<std::unique_ptr<Entry>> entries_;
  std::vector<CertificateInfo> infos_;
};

}  // namespace

Result<std::shared_ptr<const ServerContext>, std::vector<FileProblem>> ServerContext::create(
    const ServerOptions& options) {
  auto context = std::make_shared<ServerContextImpl>(options);
  Problems problems = context->load();
  if (!problems.empty()) {
    return Failure<Problems>{std::move(problems)};
  }
  return std::shared_ptr<const ServerContext>(std::move(context));
}

}  // namespace hangu::tls
