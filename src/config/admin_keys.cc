// The keys of `admin`. See schema.cc.
#include "config/admin_keys.h"

#include <map>

#include <fmt/format.h>

#include "config/checks.h"
#include "config/identity_checks.h"
#include "config/keys.h"
#include "config/rules.h"
#include "config/text.h"

namespace hangu::config {
namespace {

TypePtr<Administrator> administrator() {
  auto type = object<Administrator>("administrator");
  type->key<&Administrator::name>(text(kNameRule),
                                  {.name = "name",
                                   .documentation = "Unique name; what the audit log says.",
                                   .example = "li-wei",
                                   .required = true})
      .key<&Administrator::role>(
          choice<AdminRole>({{"sysadmin", AdminRole::kSystem},
                             {"secadmin", AdminRole::kSecurity},
                             {"auditor", AdminRole::kAudit}}),
          {.name = "role",
           .documentation = "What they may do, beside looking at status and config: run the "
                            "gateway (endpoints, reloads); set policies (reloads, plugins); read "
                            "the audit log. Each has one role.",
           .example = "auditor",
           .required = true})
      .key<&Administrator::account>(
          text(kUserRule), {.name = "account",
                            .documentation = "Account of this machine: who has it is known by it "
                                             "on the Unix socket.",
                            .example = "liwei"})
      .key<&Administrator::hash>(
          std::make_unique<PasswordHashType>(),
          {.name = "hash",
           .documentation =
               "Of the password for `hangu login`, as `hangu hash-password` prints it.",
           .example = "\"$argon2id$v=19$m=19456,t=2,p=1$c29tZSBzYWx0IG9mIDE2Yg$"
                      "k1Yq0m4h6m3QyqJ0b8mYw3q0w9l6n2m5p7r8s1t2u3w\""})
      .key<&Administrator::expires_s>(
          std::make_unique<TimeType>(),
          {.name = "expires",
           .documentation = "Nobody from then on (UTC): a password is to be changed, or an account "
                            "was for a while.",
           .example = "2027-01-31T00:00:00Z"});
  return type;
}

TypePtr<AdminTls> admin_tls() {
  auto type = object<AdminTls>("mapping");
  type->key<&AdminTls::certificate>(
          text(kFilePathRule),
          {.name = "cert",
           .documentation = "PEM file with the certificate, then its issuers. It is read again "
                            "when it has changed.",
           .example = "/etc/hangu/tls/admin.crt"})
      .key<&AdminTls::key>(text(kFilePathRule), {.name = "key",
                                                 .documentation = "PEM file with its key.",
                                                 .example = "/etc/hangu/tls/admin.key"})
      .key<&AdminTls::client_ca>(
          text(kFilePathRule),
          {.name = "client_ca",
           .documentation = "PEM file: callers need a certificate that one of these has issued.",
           .example = "/etc/hangu/tls/operators-ca.pem"});
  return type;
}

void check_administrators(Reader& reader, const Node& node, const Admin& admin) {
  std::map<std::string_view, std::string_view> accounts;
  for (size_t i = 0; i < admin.administrators.size(); ++i) {
    const Administrator& one = admin.administrators[i];
    const Node& place = element(node, "administrators", i);
    if (one.account.empty() && one.hash.empty()) {
      reader.error(place.mark,
                   {"E0136", fmt::format("nothing says how {} is known", quoted(one.name)),
                    "give an `account` of this machine, a `hash`, or both"});
    }
    const auto [at, is_new] = accounts.emplace(one.account, one.name);
    if (!one.account.empty() && !is_new) {
      reader.error(
          child(place, "account").mark,
          {"E0136",
           fmt::format("{} is the account of {} already", quoted(one.account), quoted(at->second)),
           "one person has one role"});
    }
  }
}

void check_tls(Reader& reader, const Node& node, const Admin& admin) {
  const Node& place = child(node, "tls");
  if (admin.tls.certificate.empty() != admin.tls.key.empty() ||
      (admin.tls.certificate.empty() && !admin.tls.client_ca.empty())) {
    reader.error(place.mark,
                 {"E0136", "TLS needs both a certificate and its key", "give `cert` and `key`"});
  } else if (!admin.tls.certificate.empty() && admin.tcp_bind.empty()) {
    reader.error(place.mark, {"E0136", "TLS is for `tcp`, which is off",
                              "give `tcp` an address; the Unix socket needs no TLS"});
  }
}

/// Whether other machines may reach it: it is encrypted, and somebody has to say who they are.
bool is_safe(const Admin& admin) {
  return !admin.tls.certificate.empty() &&
         (!admin.administrators.empty() || !admin.tls.client_ca.empty());
}

void check_admin(Reader& reader, const Node& node, const Admin& admin) {
  check_tls(reader, node, admin);
  if (!admin.tcp_bind.empty() && !is_loopback(admin.tcp_bind) && !admin.allow_remote &&
      !is_safe(admin)) {
    reader.error(
        child(node, "tcp").mark,
        {"E0132",
         fmt::format("other machines can reach the admin API on {}, which {}",
                     quoted(admin.tcp_bind),
                     admin.administrators.empty() ? "has no authentication" : "is not encrypted"),
         "bind it to 127.0.0.1 or [::1], give it `tls` and `administrators`, or add "
         "`allow_remote: true`"});
  }
  check_administrators(reader, node, admin);
}

void add_sessions(ObjectType<Admin>& type) {
  type.key<&Admin::idle_timeout>(
          duration(seconds(10), hours(24)),
          {.name = "idle_timeout",
           .documentation = "A session ends when nothing was asked for in it for so long,",
           .example = "5m"})
      .key<&Admin::session_max>(
          duration(seconds(10), hours(24 * 7)),
          {.name = "session_max", .documentation = "or after this at the latest.", .example = "1h"})
      .key<&Admin::attempts>(
          number<uint32_t>({0, 1000, {}, "no limit"}),
          {.name = "attempts",
           .documentation = "Wrong passwords for one name from one place; then 429.",
           .example = "3"})
      .key<&Admin::lockout>(
          duration(seconds(1), hours(24)),
          {.name = "lockout",
           .documentation = "Within what time they count, and how long nobody listens then.",
           .example = "1h"});
}

void add_writing(ObjectType<Admin>& type) {
  type.key<&Admin::writable>(
          on_off(),
          {.name = "writable",
           .documentation = "Routes, upstreams and policies may be written by the admin API: into "
                            "the config centre, or else into `state_dir`. What the file has stays "
                            "the file's.",
           .example = "true",
           .reload = kRestart})
      .key<&Admin::require_match>(
          on_off(), {.name = "require_match",
                     .documentation = "A write has to say with `If-Match` or `If-None-Match` what "
                                      "it builds on; else 428.",
                     .example = "true"});
}

}  // namespace

TypePtr<Admin> admin_keys() {
  auto type = object<Admin>("mapping");
  type->key<&Admin::unix_path>(text(kSocketPathRule),
                               {.name = "socket",
                                .documentation = "Unix socket of the admin API and of the `hangu` "
                                                 "commands.",
                                .example = "/run/hangu/gateway.sock",
                                .reload = kRestart})
      .key<&Admin::tcp_bind>(
          text(kTcpBindRule, {.empty_word = "off"}),
          {.name = "tcp",
           .documentation =
               "The admin API on TCP, too: loopback only, unless it has `tls` and knows who asks "
               "(`administrators`, `tls.client_ca`), or `allow_remote`.",
           .example = "127.0.0.1:9900",
           .reload = kRestart})
      .key<&Admin::tls>(admin_tls(), {.name = "tls",
                                      .documentation = "For `tcp`; else it is in the clear.",
                                      .example = "{cert: /etc/hangu/tls/admin.crt, key: "
                                                 "/etc/hangu/tls/admin.key}",
                                      .reload = kRestart,
                                      .alternative = true})
      .key<&Admin::allow_remote>(
          on_off(), {.name = "allow_remote",
                     .documentation = "Accept a `tcp` address that other machines can reach.",
                     .example = "true",
                     .reload = kRestart})
      .key<&Admin::administrators>(
          list<Administrator>(administrator(),
                              {.name = "list of administrators",
                               .example = "[{name: li-wei, role: sysadmin, account: liwei}]",
                               .names = "administrators"}),
          {.name = "administrators",
           .documentation =
               "Who may use the admin API. Empty: whoever reaches it may do everything.",
           .example = "[{name: li-wei, role: sysadmin, account: liwei}]"});
  add_writing(*type);
  add_sessions(*type);
  type->check(check_admin);
  return type;
}

}  // namespace hangu::config
