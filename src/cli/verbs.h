// The verbs of the command line: their options, filled in by cli.cc, and one function each, in a
// file of its own. The answer is the exit code.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hangu/cli/cli.h"

namespace hangu::cli {

struct RunOptions {
  std::string config;
  std::string event_loop;  // empty: as the config says
  std::string workers;     // likewise; "auto" or a number
};

struct CheckOptions {
  std::string config;
  bool print = false;
  bool strict = false;
  bool no_files = false;  // leave out the files that the config names
  bool json = false;
};

/// How a client verb finds the running process: the socket, or the config that names it.
struct AdminTarget {
  std::string config;
  std::string socket;       // a path, ADDRESS:PORT or https://HOST:PORT
  std::string ca;           // PEM files for TLS: who is believed; empty: the system's authorities,
  std::string certificate;  // and what the caller shows; empty: nothing
  std::string key;

  bool wants_tls() const { return !ca.empty() || !certificate.empty(); }
};

struct ReloadOptions {
  AdminTarget target;
  bool json = false;
};

struct UpgradeOptions {
  AdminTarget target;
  std::string binary;  // empty: that of the running process, as it is now
  bool json = false;
};

struct LoginOptions {
  AdminTarget target;
  std::string name;
};

struct StatusOptions {
  AdminTarget target;
  bool ready = false;
  bool json = false;
};

struct UpstreamOptions {
  AdminTarget target;
  std::string order;  // "drain", "maint" or "ready"
  std::string upstream;
  std::string endpoint;
  bool json = false;
};

struct ReleaseOptions {
  AdminTarget target;
  std::string route;
  std::string order;  // "pause", "resume", "promote" or "abort"
  bool json = false;
};

struct CertsOptions {
  AdminTarget target;
  bool json = false;
};

struct ExplainOptions {
  AdminTarget target;
  std::vector<std::string> words;  // METHOD URL, URL or an error code
  std::vector<std::string> headers;
  std::string client;
  bool json = false;
};

/// Of all verbs of `hangu config`, which look at some of them.
struct ConfigChangeOptions {
  AdminTarget target;  // of `get` and `push`; the others look at its config alone
  std::vector<std::string> files;
  std::vector<std::string> removals;
  bool prune = false;
  bool dry_run = false;
  std::string key;  // PEM file that signs
  std::string author;
  std::string message;
  std::optional<uint64_t> expected_generation;
  std::optional<uint64_t> generation;
  std::string document;
  std::string proposal;
  size_t at_most = 20;
  bool by_rollout = false;
};

/// Of all verbs of `hangu rollout`.
struct RolloutOptions {
  std::string config;
  bool follow = false;
  bool json = false;
};

struct SchemaOptions {
  std::string format = "json";
};

struct KeyOptions {
  std::string id = "key";
  std::string hash = "sha256";
};

struct VersionOptions {
  bool json = false;
};

struct DemoOptions {
  uint16_t port = 8080;
  uint16_t origin_port = 9000;
  std::string admin_socket;  // empty: in the runtime directory
  std::string event_loop;
  bool log_requests = false;
  bool origin_only = false;
  std::string origin_version;
  uint32_t origin_fail_percent = 0;
  uint32_t origin_delay_ms = 0;
  std::string program = "hangu";  // as the user called it, for what is printed
};

/// Which audit log a verb is about: that of a config, or the one at `log`.
struct AuditTarget {
  AdminTarget target;
  std::string log;
};

struct AuditVerifyOptions {
  AuditTarget log;
  std::string public_key;
  std::string checkpoints;
  bool json = false;
};

struct AuditKeygenOptions {
  std::string out;
  std::string public_out;
};

struct AuditKeyOptions {
  std::string file;
};

/// Which records.
struct AuditSelection {
  std::string since;
  std::string until;
  std::vector<std::string> fields;  // MEMBER=VALUE
  std::vector<std::string> texts;
  std::string pattern;
};

struct AuditGrepOptions {
  AuditTarget log;
  AuditSelection selection;
  bool follow = false;
  bool count = false;
};

struct AuditExportOptions {
  AuditTarget log;
  AuditSelection selection;
  std::string format = "json";
  std::string out;  // empty: standard output
};

struct PluginOptions {
  AdminTarget target;
  std::string name;
  std::string change;  // "swap" or "rollback"
  bool json = false;
};

struct PluginNewOptions {
  std::string name;
  std::string folder;  // empty: the name
};

struct PluginSignOptions {
  std::string file;
  std::string key;
  std::string out;  // empty: the file with ".sig"
};

int run_gateway(const RunOptions& options, const Environment& environment);
int check(const CheckOptions& options, const Environment& environment);
int reload(const ReloadOptions& options, const Environment& environment);
int upgrade(const UpgradeOptions& options, const Environment& environment);
int login(const LoginOptions& options, const Environment& environment);
int logout(const LoginOptions& options, const Environment& environment);
int status(const StatusOptions& options, const Environment& environment);
int order_endpoint(const UpstreamOptions& options, const Environment& environment);
int release_list(const ReleaseOptions& options, const Environment& environment);
int release_status(const ReleaseOptions& options, const Environment& environment);
int release_order(const ReleaseOptions& options, const Environment& environment);
int certs(const CertsOptions& options, const Environment& environment);
int explain(const ExplainOptions& options, const Environment& environment);
int schema(const SchemaOptions& options, const Environment& environment);
int hash_password(const Environment& environment);
int key(const KeyOptions& options, const Environment& environment);
int version(const VersionOptions& options, const Environment& environment);
int audit_verify(const AuditVerifyOptions& options, const Environment& environment);
int audit_grep(const AuditGrepOptions& options, const Environment& environment);
int audit_export(const AuditExportOptions& options, const Environment& environment);
int audit_keygen(const AuditKeygenOptions& options, const Environment& environment);
int audit_key(const AuditKeyOptions& options, const Environment& environment);
int plugin_list(const PluginOptions& options, const Environment& environment);
int plugin_change(const PluginOptions& options, const Environment& environment);
int plugin_new(const PluginNewOptions& options, const Environment& environment);
int plugin_sign(const PluginSignOptions& options, const Environment& environment);
int demo(const DemoOptions& options, const Environment& environment);
int config_push(const ConfigChangeOptions& options, const Environment& environment);
int config_get(const ConfigChangeOptions& options, const Environment& environment);
int config_history(const ConfigChangeOptions& options, const Environment& environment);
int config_rollback(const ConfigChangeOptions& options, const Environment& environment);
int config_approve(const ConfigChangeOptions& options, const Environment& environment);
int rollout_status(const RolloutOptions& options, const Environment& environment);
int rollout_pause(const RolloutOptions& options, const Environment& environment);
int rollout_resume(const RolloutOptions& options, const Environment& environment);
int rollout_abort(const RolloutOptions& options, const Environment& environment);

}  // namespace hangu::cli
