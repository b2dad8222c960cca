#include "hangu/server/tls_contexts.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <span>

#include <fmt/format.h>

#include "hangu/base/assert.h"
#include "hangu/identity/key_derivation.h"

namespace hangu::server {
namespace {

// What browsers and libraries of the last ten years speak, with forward secrecy and authenticated
// encryption only.
constexpr const char* kModernCiphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* kIntermediateCiphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
    "DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-SHA256:"
    "ECDHE-RSA-AES128-SHA256";
constexpr uint32_t kEarlyDataMax = 16 * 1024;
constexpr const char* kGroups = "X25519:P-256:P-384";

tls::Version to_version(config::TlsVersion version) {
  return version == config::TlsVersion::kTls12 ? tls::Version::kTls12 : tls::Version::kTls13;
}

tls::Policy to_policy(const config::ListenerTls& tls) {
  switch (tls.policy) {
    case config::TlsPolicy::kModern: return {.ciphers = kModernCiphers, .groups = kGroups};
    case config::TlsPolicy::kIntermediate:
      return {.ciphers = kIntermediateCiphers, .groups = kGroups};
    case config::TlsPolicy::kCustom: break;
  }
  return {.version_min = to_version(tls.version_min),
          .version_max = to_version(tls.version_max),
          .ciphers = tls.ciphers,
          .cipher_suites = tls.cipher_suites,
          .groups = tls.groups};
}

tls::ClientAuth to_client_auth(config::ClientAuth wanted) {
  switch (wanted) {
    case config::ClientAuth::kNone: return tls::ClientAuth::kNone;
    case config::ClientAuth::kRequest: return tls::ClientAuth::kRequest;
    case config::ClientAuth::kRequire: return tls::ClientAuth::kRequire;
  }
  return tls::ClientAuth::kRequire;
}

const char* alpn_name(config::Protocol protocol) {
  return protocol == config::Protocol::kHttp2 ? "h2" : "http/1.1";
}

std::time_t rotation_of(const config::ListenerTls& tls) {
  return std::chrono::duration_cast<std::chrono::seconds>(tls.ticket_rotation).count();
}

bool is_due(const TicketKeyState& state, const config::ListenerTls& tls, std::time_t now) {
  return now - state.since >= rotation_of(tls);
}

tls::TicketKey shared_key(const std::string& secret, const std::string& listener) {
  tls::TicketKey key;
  std::array<uint8_t, sizeof(key.name) + sizeof(key.cipher_key) + sizeof(key.mac_key)> bytes{};
  const bool made = identity::derive_key(secret, "hangu tls tickets 1 " + listener, bytes);
  HANGU_ASSERT(made);
  const uint8_t* from = bytes.data();
  for (const std::span<uint8_t> part :
       {std::span<uint8_t>(key.name), std::span<uint8_t>(key.cipher_key),
        std::span<uint8_t>(key.mac_key)}) {
    std::copy_n(from, part.size(), part.begin());
    from += part.size();
  }
  return key;
}

/// Of the fleet's secrets; what this process has sealed before it knew them opens for its time.
tls::TicketKeys shared_keys(const config::Listener& listener, const TicketSecrets& tickets,
                            std::time_t now) {
  tls::TicketKeys keys{.current = shared_key(tickets.shared.front(), listener.name), .others = {}};
  for (size_t i = 1; i < tickets.shared.size(); ++i) {
    keys.others.push_back(shared_key(tickets.shared[i], listener.name));
  }
  const auto own = tickets.own.find(listener.name);
  const std::time_t age = own != tickets.own.end() ? now - own->second.since : 0;
  if (own != tickets.own.end() && age < 2 * rotation_of(listener.tls)) {
    keys.others.push_back(own->second.keys.current);
  }
  if (own != tickets.own.end() && age < rotation_of(listener.tls)) {
    const std::vector<tls::TicketKey>& before = own->second.keys.others;
    keys.others.insert(keys.others.end(), before.begin(), before.end());
  }
  return keys;
}

tls::TicketKeys own_keys(const config::Listener& listener, TicketKeyMap& own, std::time_t now) {
  TicketKeyState& state = own[listener.name];
  if (state.since == 0 || is_due(state, listener.tls, now)) {
    state.keys = tls::rotate(state.since == 0 ? nullptr : &state.keys);
    state.since = now;
  }
  return state.keys;
}

tls::ServerOptions server_options(const config::Listener& listener, TicketSecrets& tickets,
                                  std::time_t now) {
  const config::ListenerTls& tls = listener.tls;
  tls::ServerOptions options{.policy = to_policy(tls),
                             .client_auth = to_client_auth(tls.client_auth),
                             .client_ca = tls.client_ca,
                             .client_crl = tls.client_crl,
                             .client_depth = static_cast<int>(tls.client_depth),
                             .client_names = tls.client_names};
  for (const config::CertificateFiles& files : tls.certificates) {
    options.certificates.push_back({.certificate = files.certificate,
                                    .key = files.key,
                                    .ocsp = files.ocsp,
                                    .names = files.hosts});
  }
  for (const config::Protocol protocol : listener.protocols) {
    options.protocols.emplace_back(alpn_name(protocol));
  }
  if (tls.tickets) {
    options.ticket_keys = ticket_keys(listener, tickets, now);
    options.early_data_max = tls.early_data ? kEarlyDataMax : 0;
  }
  return options;
}

std::vector<std::string> alpn_names(config::UpstreamProtocol protocol) {
  switch (protocol) {
    case config::UpstreamProtocol::kHttp1: return {"http/1.1"};
    case config::UpstreamProtocol::kHttp2: return {"h2"};
    case config::UpstreamProtocol::kAuto: break;
  }
  return {"h2", "http/1.1"};
}

tls::ClientOptions client_options(const config::UpstreamTls& tls,
                                  std::vector<std::string> protocols) {
  return {.verify = tls.verify,
          .ca = tls.ca,
          .certificate = tls.certificate,
          .key = tls.key,
          .policy = {.ciphers = kModernCiphers, .groups = kGroups},
          .protocols = std::move(protocols)};
}

using ClientContexts = std::map<std::string, std::shared_ptr<const tls::ClientContext>>;

/// `kind` and `name`: "upstream app".
void load_client(std::string_view kind, const std::string& name, const tls::ClientOptions& options,
                 ClientContexts& contexts, std::vector<TlsProblem>& problems) {
  auto made = tls::ClientContext::create(options);
  if (made) {
    contexts[name] = *made;
    return;
  }
  for (const tls::FileProblem& problem : made.error()) {
    problems.push_back({fmt::format("{} {}", kind, name), problem});
  }
}

}  // namespace

tls::TicketKeys ticket_keys(const config::Listener& listener, TicketSecrets& tickets,
                            std::time_t now) {
  return tickets.shared.empty() ? own_keys(listener, tickets.own, now)
                                : shared_keys(listener, tickets, now);
}

Result<TlsContexts, std::vector<TlsProblem>> load_tls(const config::Config& config,
                                                      TicketSecrets& tickets, std::time_t now) {
  TlsContexts contexts;
  std::vector<TlsProblem> problems;
  for (const config::Listener& listener : config.listeners) {
    if (!listener.tls.enabled) {
      continue;
    }
    auto made = tls::ServerContext::create(server_options(listener, tickets, now));
    if (made) {
      contexts.listeners[listener.name] = *made;
      continue;
    }
    for (const tls::FileProblem& problem : made.error()) {
      problems.push_back({"listener " + listener.name, problem});
    }
  }
  for (const config::Upstream& upstream : config.upstreams) {
    if (upstream.tls.enabled) {
      load_client("upstream", upstream.name,
                  client_options(upstream.tls, alpn_names(upstream.protocol)), contexts.upstreams,
                  problems);
    }
  }
  for (const config::Store& store : config.stores) {
    if (store.tls.enabled) {
      load_client("store", store.name, client_options(store.tls, {}), contexts.stores, problems);
    }
  }
  if (!problems.empty()) {
    return Failure<std::vector<TlsProblem>>{std::move(problems)};
  }
  return contexts;
}

bool rotation_due(const config::Config& config, const TicketSecrets& tickets, std::time_t now) {
  if (!tickets.shared.empty()) {
    return false;  // whoever brings them does that
  }
  return std::any_of(config.listeners.begin(), config.listeners.end(), [&](const auto& listener) {
    const auto state = tickets.own.find(listener.name);
    return listener.tls.enabled && listener.tls.tickets && state != tickets.own.end() &&
           is_due(state->second, listener.tls, now);
  });
}

std::map<std::string, int64_t> tls_files(const config::Config& config) {
  std::map<std::string, int64_t> files;
  const auto add = [&](const std::string& path) {
    struct stat found {};
    if (!path.empty()) {
      const bool there = ::stat(path.c_str(), &found) == 0;
      const int64_t changed = found.st_mtim.tv_sec * 1'000'000'000 + found.st_mtim.tv_nsec;
      files[path] = there ? changed ^ static_cast<int64_t>(found.st_ino) : 0;
    }
  };
  for (const config::Listener& listener : config.listeners) {
    for (const config::CertificateFiles& certificate : listener.tls.certificates) {
      add(certificate.certificate);
      add(certificate.key);
      add(certificate.ocsp);
    }
    add(listener.tls.client_ca);
    add(listener.tls.client_crl);
  }
  const auto add_client = [&](const config::UpstreamTls& tls) {
    add(tls.ca);
    add(tls.certificate);
    add(tls.key);
  };
  for (const config::Upstream& upstream : config.upstreams) {
    add_client(upstream.tls);
  }
  for (const config::Store& store : config.stores) {
    add_client(store.tls);
  }
  return files;
}

std::string to_string(const TlsProblem& problem) {
  return fmt::format("{}: {}: {}", problem.where, problem.file.file, problem.file.what);
}

std::string date_text(std::time_t time) {
  std::tm parts{};
  gmtime_r(&time, &parts);
  std::array<char, 16> text{};
  const size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%d", &parts);
  return {text.data(), size};
}

std::vector<std::string> too_early(const TlsContexts& contexts, std::time_t now) {
  std::vector<std::string> warnings;
  for (const auto& [name, context] : contexts.listeners) {
    for (const tls::CertificateInfo& info : context->certificates()) {
      if (info.not_before > now) {
        warnings.push_back(fmt::format("listener {}: {} ({}) is not valid before {}", name,
                                       info.file, info.subject, date_text(info.not_before)));
      }
    }
  }
  return warnings;
}

std::vector<std::string> expiry_warnings(const TlsContexts& contexts, int days, std::time_t now) {
  constexpr std::time_t kDay = 24 * 3600;
  std::vector<std::string> warnings = too_early(contexts, now);
  for (const auto& [name, context] : contexts.listeners) {
    for (const tls::CertificateInfo& info : context->certificates()) {
      if (info.not_after <= now + days * kDay) {
        const char* what = info.not_after <= now ? "has expired on" : "expires on";
        warnings.push_back(fmt::format("listener {}: {} ({}) {} {}", name, info.file, info.subject,
                                       what, date_text(info.not_after)));
      }
    }
  }
  return warnings;
}

}  // namespace hangu::server
