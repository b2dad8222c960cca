// The keys of TLS, of listeners and of upstreams. See schema.cc.
#include "config/tls_keys.h"

#include "config/keys.h"

namespace hangu::config {
namespace {

TypePtr<CertificateFiles> certificate() {
  auto type = object<CertificateFiles>("certificate");
  type->key<&CertificateFiles::certificate>(
          text(kFilePathRule),
          {.name = "cert",
           .documentation = "PEM file: the certificate, then those of its issuers.",
           .example = "/etc/hangu/tls/api.crt",
           .required = true})
      .key<&CertificateFiles::key>(text(kFilePathRule),
                                   {.name = "key",
                                    .documentation = "PEM file with its private key.",
                                    .example = "/etc/hangu/tls/api.key",
                                    .required = true})
      .key<&CertificateFiles::ocsp>(
          text(kFilePathRule),
          {.name = "ocsp",
           .documentation = "DER file with an OCSP response, to be stapled to handshakes.",
           .example = "/etc/hangu/tls/api.ocsp"})
      .key<&CertificateFiles::hosts>(
          list(text(kHostRule), {.name = "list of hosts", .example = "[api.example.org]"}),
          {.name = "hosts",
           .documentation =
               "Names it answers for, exact or `*.example.org`. Empty: the names in it.",
           .example = "[api.example.org]"});
  return type;
}

TypePtr<TlsVersion> version() {
  return choice<TlsVersion>({{"1.2", TlsVersion::kTls12}, {"1.3", TlsVersion::kTls13}});
}

void add_policy(ObjectType<ListenerTls>& type) {
  type.key<&ListenerTls::policy>(
          choice<TlsPolicy>({{"modern", TlsPolicy::kModern},
                             {"intermediate", TlsPolicy::kIntermediate},
                             {"custom", TlsPolicy::kCustom}}),
          {.name = "policy",
           .documentation =
               "`modern`: TLS 1.3, and 1.2 with ephemeral ECDH and AEAD ciphers. `intermediate`: "
               "ephemeral DH and CBC ciphers with SHA-256 as well, for old clients. `custom`: the "
               "five keys below.",
           .example = "intermediate"})
      .key<&ListenerTls::version_min>(
          version(),
          {.name = "version_min", .documentation = "Oldest version spoken.", .example = "\"1.3\""})
      .key<&ListenerTls::version_max>(
          version(),
          {.name = "version_max", .documentation = "Newest version spoken.", .example = "\"1.2\""})
      .key<&ListenerTls::ciphers>(
          text(kOpensslListRule),
          {.name = "ciphers",
           .documentation = "Ciphers of TLS 1.2, in OpenSSL's notation.",
           .example = "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384"})
      .key<&ListenerTls::cipher_suites>(text(kOpensslListRule),
                                        {.name = "cipher_suites",
                                         .documentation = "Cipher suites of TLS 1.3.",
                                         .example = "TLS_AES_256_GCM_SHA384"})
      .key<&ListenerTls::groups>(text(kOpensslListRule),
                                 {.name = "groups",
                                  .documentation = "Groups for the key exchange.",
                                  .example = "X25519:P-256"});
}

void add_clients(ObjectType<ListenerTls>& type) {
  type.key<&ListenerTls::client_auth>(
          choice<ClientAuth>({{"none", ClientAuth::kNone},
                              {"request", ClientAuth::kRequest},
                              {"require", ClientAuth::kRequire}}),
          {.name = "client_auth",
           .documentation = "Whether clients are asked for a certificate, and whether they need "
                            "one. One that is "
                            "given must be good in both cases.",
           .example = "require"})
      .key<&ListenerTls::client_ca>(text(kFilePathRule),
                                    {.name = "client_ca",
                                     .documentation = "PEM file with the issuers of clients.",
                                     .example = "/etc/hangu/tls/clients.pem"})
      .key<&ListenerTls::client_crl>(
          text(kFilePathRule),
          {.name = "client_crl",
           .documentation = "PEM file with their revocation list; read again with every reload.",
           .example = "/etc/hangu/tls/clients.crl"})
      .key<&ListenerTls::client_depth>(
          number<uint32_t>({0, 16}),
          {.name = "client_depth",
           .documentation = "Issuers allowed between a client's certificate and `client_ca`.",
           .example = "1"})
      .key<&ListenerTls::client_names>(
          list(text(kClientNameRule), {.name = "list of names", .example = "[\"dns:a.example\"]"}),
          {.name = "client_names",
           .documentation =
               "Alternative names of which a client's certificate must have one: `dns:a.example`, "
               "`dns:*.example`, `uri:spiffe://example/a`, `email:a@example`, `ip:192.0.2.1`. "
               "Empty: any.",
           .example = "[\"uri:spiffe://example/front\"]"})
      .check(check_client_auth);
}

}  // namespace

TypePtr<ListenerTls> listener_tls() {
  auto type = switched<ListenerTls>("{certificates: [{cert: a.crt, key: a.key}]}");
  type->mapping().key<&ListenerTls::certificates>(
      list(certificate(), {.name = "list of certificates",
                           .example = "[{cert: a.crt, key: a.key}]",
                           .at_least_one = true}),
      {.name = "certificates",
       .documentation =
           "Chosen by the name the client asks for: an exact name before a wildcard, else the "
           "first. For one name there may be one of each kind of key (RSA, ECDSA).",
       .example = "[{cert: /etc/hangu/tls/api.crt, key: /etc/hangu/tls/api.key}]",
       .required = true});
  add_policy(type->mapping());
  add_clients(type->mapping());
  type->mapping()
      .key<&ListenerTls::match_host>(
          on_off(), {.name = "match_host",
                     .documentation =
                         "Answer 421 to a request for another host than the one the client named "
                         "in the handshake: it shall make a connection for each.",
                     .example = "on"})
      .key<&ListenerTls::early_data>(
          on_off(),
          {.name = "early_data",
           .documentation =
               "Take requests that TLS 1.3 lets a known client send with its first message. They "
               "may be replays: only GET, HEAD, OPTIONS and TRACE are served, upstreams get "
               "`Early-Data: 1` and may answer 425; any other method gets 425. Up to 16 KiB.",
           .example = "on"})
      .key<&ListenerTls::tickets>(on_off(), {.name = "session_tickets",
                                             .documentation = "Let clients resume sessions.",
                                             .example = "off"})
      .key<&ListenerTls::ticket_rotation>(
          duration(seconds(1), hours(24 * 7)),
          {.name = "ticket_rotation",
           .documentation =
               "How long a ticket key seals; it opens tickets for as long again. All workers share "
               "the keys.",
           .example = "1h"})
      .key<&ListenerTls::handshake_timeout>(
          duration(milliseconds(100), minutes(5)),
          {.name = "handshake_timeout",
           .documentation = "From the connection to the end of its handshake; then it is closed.",
           .example = "5s",
           .reload = kNewConnections});
  return type;
}

TypePtr<UpstreamTls> upstream_tls() {
  auto type = switched<UpstreamTls>("{ca: /etc/ssl/own-ca.pem}");
  type->mapping()
      .key<&UpstreamTls::verify>(
          on_off(), {.name = "verify",
                     .documentation =
                         "Check the server's certificate and its name. Off: anybody on the way can "
                         "read and change what passes.",
                     .example = "off"})
      .key<&UpstreamTls::ca>(
          text(kFilePathRule),
          {.name = "ca",
           .documentation = "PEM file with the issuers trusted. Empty: those of the system.",
           .example = "/etc/ssl/own-ca.pem"})
      .key<&UpstreamTls::server_name>(
          text(kHostRule), {.name = "server_name",
                            .documentation = "Name to ask for and to find in the certificate; else "
                                             "the host of the endpoint or URL.",
                            .example = "app.example.org"})
      .key<&UpstreamTls::certificate>(text(kFilePathRule),
                                      {.name = "cert",
                                       .documentation = "PEM file with a certificate to show.",
                                       .example = "/etc/hangu/tls/gateway.crt"})
      .key<&UpstreamTls::key>(text(kFilePathRule), {.name = "key",
                                                    .documentation = "PEM file with its key.",
                                                    .example = "/etc/hangu/tls/gateway.key"});
  return type;
}

}  // namespace hangu::config
