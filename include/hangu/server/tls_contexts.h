// The TLS of a config: contexts made of its files, and what is wrong with those. Control thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "hangu/base/result.h"
#include "hangu/config/config.h"
#include "hangu/tls/client_context.h"
#include "hangu/tls/server_context.h"

namespace hangu::server {

struct TlsContexts {
  std::map<std::string, std::shared_ptr<const tls::ServerContext>> listeners;  // by name
  std::map<std::string, std::shared_ptr<const tls::ClientContext>> upstreams;
  std::map<std::string, std::shared_ptr<const tls::ClientContext>> stores;
};

struct TlsProblem {
  std::string where;  // "listener web"
  tls::FileProblem file;
};

/// The ticket keys of each listener, which outlive a config, and since when they are in use.
struct TicketKeyState {
  tls::TicketKeys keys;
  std::time_t since = 0;
};

using TicketKeyMap = std::map<std::string, TicketKeyState>;

/// What session tickets are sealed with.
struct TicketSecrets {
  TicketKeyMap own;  // of this process and its successors
  /// Of the whole fleet: where there are any, keys are made of them alone, of the first one that
  /// which seals; those of listeners with one name are the same on all nodes.
  std::vector<std::string> shared;
};

/// Of a listener, with tickets. Those that this process has made by itself open for as long as they
/// would have without shared ones.
tls::TicketKeys ticket_keys(const config::Listener& listener, TicketSecrets& tickets,
                            std::time_t now);

/// Reads every file that the config names; makes and rotates ticket keys where that is due. All
/// problems at once.
Result<TlsContexts, std::vector<TlsProblem>> load_tls(const config::Config& config,
                                                      TicketSecrets& tickets, std::time_t now);

/// Whether the keys of a listener are to be rotated.
bool rotation_due(const config::Config& config, const TicketSecrets& tickets, std::time_t now);

/// The files that load_tls() reads, each with a number that changes with it; 0: it is not there.
std::map<std::string, int64_t> tls_files(const config::Config& config);

std::string to_string(const TlsProblem& problem);

/// Certificates that are not valid yet, as one line each.
std::vector<std::string> too_early(const TlsContexts& contexts, std::time_t now);

/// How long before its end `hangu check` complains about a certificate; the daemon raises alarms.
inline constexpr int kExpiryWarningDays = 30;

/// The same, and those that have ended or end within `days`.
std::vector<std::string> expiry_warnings(const TlsContexts& contexts, int days, std::time_t now);

/// "2026-11-24".
std::string date_text(std::time_t time);

}  // namespace hangu::server
