// The keys of `audit`. See schema.cc.
#include "config/keys.h"

namespace hangu::config {
namespace {

void add_chain(ObjectType<AuditLog>& type) {
  type.key<&AuditLog::chain>(
          choice<AuditDigest>({{"sha256", AuditDigest::kSha256}, {"sm3", AuditDigest::kSm3}}),
          {.name = "chain",
           .documentation = "Digest that ties each record to the one before.",
           .example = "sm3",
           .reload = kRestart})
      .key<&AuditLog::signing_key>(
          text(kFilePathRule),
          {.name = "signing_key",
           .documentation = "PEM file with an Ed25519 key that signs checkpoints; `hangu audit "
                            "keygen` makes one. Without it whoever may write the file can "
                            "make the chain anew.",
           .example = "/etc/hangu/audit.key",
           .reload = kRestart})
      .key<&AuditLog::checkpoint_path>(
          text(kFilePathRule),
          {.name = "checkpoint_path",
           .documentation = "File with a copy of each checkpoint, to be shipped to another "
                            "machine. Empty: `path` with `.checkpoints`.",
           .example = "/var/spool/hangu/audit.checkpoints",
           .reload = kRestart})
      .key<&AuditLog::checkpoint_records>(number<uint64_t>({1, 10'000'000}),
                                          {.name = "checkpoint_records",
                                           .documentation = "A checkpoint follows so many records,",
                                           .example = "1000",
                                           .reload = kRestart})
      .key<&AuditLog::checkpoint_interval>(
          duration(milliseconds(100), hours(1)),
          {.name = "checkpoint_interval",
           .documentation = "or comes this long after a record that has none yet.",
           .example = "10s",
           .reload = kRestart});
}

void add_durability(ObjectType<AuditLog>& type) {
  type.key<&AuditLog::fsync>(
          choice<AuditFsync>({{"never", AuditFsync::kNever},
                              {"interval", AuditFsync::kInterval},
                              {"batch", AuditFsync::kBatch}}),
          {.name = "fsync",
           .documentation =
               "When what was written is forced to the disk: left to the kernel, every "
               "`fsync_interval`, or with each batch.",
           .example = "batch",
           .reload = kRestart})
      .key<&AuditLog::fsync_interval>(duration(milliseconds(10), minutes(10)),
                                      {.name = "fsync_interval",
                                       .documentation = "The interval of `fsync: interval`.",
                                       .example = "5s",
                                       .reload = kRestart})
      .key<&AuditLog::on_backpressure>(
          choice<AuditBackpressure>({{"spill", AuditBackpressure::kSpill},
                                     {"drop_with_marker", AuditBackpressure::kDropWithMarker},
                                     {"fail_closed", AuditBackpressure::kFailClosed}}),
          {.name = "on_backpressure",
           .documentation =
               "When the file takes no more: keep records in `spill_path` until it does; leave "
               "them out, and say in the log how many; or answer 503 `audit.unavailable` to "
               "requests that need a record. What finds no place in the spill file is left out "
               "and counted, too.",
           .example = "fail_closed",
           .reload = kRestart})
      .key<&AuditLog::queue_bytes>(size<uint64_t>({64 * kKiB, 1 * kGiB}),
                                   {.name = "queue",
                                    .documentation = "Records waiting for the writer, per worker.",
                                    .example = "16MiB",
                                    .reload = kRestart})
      .key<&AuditLog::spill_path>(
          text(kFilePathRule),
          {.name = "spill_path",
           .documentation = "Best on another disk. Empty: `path` with `.spill`.",
           .example = "/var/spool/hangu/audit.spill",
           .reload = kRestart})
      .key<&AuditLog::spill_bytes_max>(size<uint64_t>({1 * kMiB, 1024 * kGiB}),
                                       {.name = "spill_max",
                                        .documentation = "Largest size of the spill file.",
                                        .example = "8GiB",
                                        .reload = kRestart});
}

void add_files(ObjectType<AuditLog>& type) {
  type.key<&AuditLog::rotate_bytes>(
          size<uint64_t>({64 * kKiB, 1024 * kGiB, "no limit"}),
          {.name = "rotate_size",
           .documentation = "A new file begins when this one is so large,",
           .example = "256MiB",
           .reload = kRestart})
      .key<&AuditLog::rotate_interval>(duration(seconds(1), hours(24 * 366), "never"),
                                       {.name = "rotate_interval",
                                        .documentation = "or so old.",
                                        .example = "1h",
                                        .reload = kRestart})
      .key<&AuditLog::compress>(on_off(),
                                {.name = "compress",
                                 .documentation = "Pack files that are complete, with zstd.",
                                 .example = "off",
                                 .reload = kRestart})
      .key<&AuditLog::retention>(
          duration(seconds(1), hours(24 * 3650), "for ever"),
          {.name = "retention",
           .documentation = "Complete files are deleted when their last record is so old. The "
                            "deletion is recorded. At least `183d` under `compliance: mlps3`.",
           .example = "365d",
           .reload = kRestart});
}

void add_masking(ObjectType<AuditLog>& type) {
  type.key<&AuditLog::mask>(
          on_off(),
          {.name = "mask",
           .documentation = "Hide national id numbers, phone numbers, e-mail addresses, tokens and "
                            "the values of parameters such as `token` and `password` in paths "
                            "and queries.",
           .example = "off",
           .reload = kRestart})
      .key<&AuditLog::mask_patterns>(
          list(text(kPatternRule), {.name = "list of regular expressions (RE2)",
                                    .example = "[\"card/[0-9]+\"]",
                                    .warn_repeated = true}),
          {.name = "mask_patterns",
           .documentation = "What else is hidden there: what these match becomes `***`.",
           .example = "[\"/card/[0-9]+\"]",
           .reload = kRestart});
}

TypePtr<AuditSyslog> syslog() {
  auto type = switched<AuditSyslog>("{address: \"logs.example.org:6514\"}");
  type->mapping()
      .key<&AuditSyslog::address>(text(kPeerRule), {.name = "address",
                                                    .documentation = "Where the server is.",
                                                    .example = "logs.example.org:6514",
                                                    .reload = kRestart,
                                                    .required = true})
      .key<&AuditSyslog::tls>(choice<bool>({{"tcp", false}, {"tls", true}}),
                              {.name = "protocol",
                               .documentation = "Octets counted (RFC 6587) over TCP, or over TLS "
                                                "(RFC 5425).",
                               .example = "tcp",
                               .reload = kRestart})
      .key<&AuditSyslog::ca>(
          text(kFilePathRule),
          {.name = "ca",
           .documentation = "PEM file with the issuers trusted. Empty: those of the system.",
           .example = "/etc/ssl/own-ca.pem",
           .reload = kRestart})
      .key<&AuditSyslog::server_name>(
          text(kHostRule),
          {.name = "server_name",
           .documentation = "Name to find in the server's certificate; else that of `address`.",
           .example = "logs.example.org",
           .reload = kRestart})
      .key<&AuditSyslog::certificate>(text(kFilePathRule),
                                      {.name = "cert",
                                       .documentation = "PEM file with a certificate to show.",
                                       .example = "/etc/hangu/tls/gateway.crt",
                                       .reload = kRestart})
      .key<&AuditSyslog::key>(text(kFilePathRule), {.name = "key",
                                                    .documentation = "PEM file with its key.",
                                                    .example = "/etc/hangu/tls/gateway.key",
                                                    .reload = kRestart})
      .key<&AuditSyslog::facility>(number<uint32_t>({0, 23}),
                                   {.name = "facility",
                                    .documentation = "Of the messages (RFC 5424 §6.2.1).",
                                    .example = "4",
                                    .reload = kRestart})
      .key<&AuditSyslog::queue_bytes>(
          size<uint64_t>({64 * kKiB, 1 * kGiB}),
          {.name = "queue",
           .documentation = "Records waiting for the server; beyond it they are left out here and "
                            "counted. The file has them all.",
           .example = "64MiB",
           .reload = kRestart});
  return type;
}

}  // namespace

TypePtr<AuditLevel> route_audit() {
  return choice<AuditLevel>({{"default", AuditLevel::kDefault},
                             {"off", AuditLevel::kOff},
                             {"security", AuditLevel::kSecurity},
                             {"all", AuditLevel::kAll}});
}

/// The mapping, or `off`; a mapping switches the log on.
TypePtr<AuditLog> audit_keys() {
  auto type = switched<AuditLog>("{path: /var/log/hangu/audit.log}");
  ObjectType<AuditLog>& keys = type->mapping();
  keys.key<&AuditLog::path>(
          text(kFilePathRule),
          {.name = "path",
           .documentation = "The file. Complete ones are beside it, named by their first record.",
           .example = "/var/log/hangu/audit.log",
           .reload = kRestart,
           .required = true})
      .key<&AuditLog::requests>(
          choice<AuditLevel>({{"off", AuditLevel::kOff},
                              {"security", AuditLevel::kSecurity},
                              {"all", AuditLevel::kAll}}),
          {.name = "requests",
           .documentation = "Which requests get a record, where their route does not say: none, "
                            "those that were refused, or all. What the process and its "
                            "administrators do is recorded always.",
           .example = "all"});
  add_chain(keys);
  add_durability(keys);
  add_files(keys);
  add_masking(keys);
  keys.key<&AuditLog::syslog>(syslog(), {.name = "syslog",
                                         .documentation = "A server that gets every record, too.",
                                         .example = "{address: \"logs.example.org:6514\"}",
                                         .reload = kRestart})
      .check(check_audit);
  return type;
}

}  // namespace hangu::config
