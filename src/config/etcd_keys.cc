#include "config/etcd_keys.h"

#include "config/checks.h"
#include "config/keys.h"

namespace hangu::config {

TypePtr<EtcdTls> etcd_tls_keys(ReloadClass reload) {
  auto type = object<EtcdTls>("mapping");
  type->key<&EtcdTls::ca>(
          text(kFilePathRule),
          {.name = "ca",
           .documentation = "PEM file with the issuers trusted. Empty: those of the system.",
           .example = "/etc/ssl/own-ca.pem",
           .reload = reload})
      .key<&EtcdTls::server_name>(
          text(kHostRule), {.name = "server_name",
                            .documentation = "Name to find in the certificate; else the URL's.",
                            .example = "etcd.example.org",
                            .reload = reload})
      .key<&EtcdTls::certificate>(text(kFilePathRule),
                                  {.name = "cert",
                                   .documentation = "PEM file with a certificate to show.",
                                   .example = "/etc/hangu/tls/gateway.crt",
                                   .reload = reload})
      .key<&EtcdTls::key>(text(kFilePathRule), {.name = "key",
                                                .documentation = "PEM file with its key.",
                                                .example = "/etc/hangu/tls/gateway.key",
                                                .reload = reload});
  return type;
}

void check_etcd_access(Reader& reader, const Node& node, const EtcdAccess& access) {
  if (access.username.empty() != access.password.text.empty()) {
    reader.error(node.mark, {"E0136", "`username` and `password` go together", ""});
  }
  if (access.tls.certificate.empty() != access.tls.key.empty()) {
    reader.error(child(node, "tls").mark, {"E0136", "`cert` and `key` go together", ""});
  }
}

}  // namespace hangu::config
