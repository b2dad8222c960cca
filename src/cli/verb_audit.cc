// `hangu audit verify|keygen|key`.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "hangu/admin/json.h"
#include "hangu/audit/parallel_pieces.h"
#include "hangu/audit/verify.h"
#include "hangu/tls/signature.h"

#include "cli/audit_target.h"
#include "cli/progress.h"
#include "cli/terminal.h"
#include "cli/verbs.h"

namespace hangu::cli {
namespace {

namespace json = boost::json;

json::object to_json(const audit::Verification& done) {
  json::array findings;
  for (const audit::Finding& each : done.findings) {
    findings.push_back({{"file", each.file},
                        {"line", each.line},
                        {"seq", each.seq},
                        {"kind", each.kind},
                        {"text", each.text}});
  }
  json::array notes;
  for (const audit::Note& each : done.notes) {
    notes.push_back({{"seq", each.seq}, {"kind", each.kind}, {"text", each.text}});
  }
  json::object all;
  all["good"] = done.good();
  all["files"] = done.files;
  all["records"] = done.records;
  all["bytes"] = done.bytes;
  all["first_seq"] = done.first_seq;
  all["last_seq"] = done.last_seq;
  all["checkpoints"] = done.checkpoints;
  all["checkpoints_shipped"] = done.checkpoints_shipped;
  all["last_signed_seq"] = done.last_signed_seq;
  all["lost"] = done.lost;
  all["runs"] = done.runs;
  all["unclean_ends"] = done.unclean_ends;
  all["findings_total"] = done.findings_total;
  all["findings"] = std::move(findings);
  all["notes"] = std::move(notes);
  return all;
}

void print_text(const audit::Verification& done, const Environment& environment) {
  const Palette palette(environment.color_out);
  for (const audit::Finding& each : done.findings) {
    const std::string seq = each.seq == 0 ? "" : fmt::format(" seq {}:", each.seq);
    environment.out << fmt::format("{}{}:{}:{} {}{}: {}\n", palette.red, each.file, each.line, seq,
                                   each.kind, palette.off, each.text);
  }
  if (done.findings_total > done.findings.size()) {
    environment.out << fmt::format("... and {} more\n", done.findings_total - done.findings.size());
  }
  for (const audit::Note& each : done.notes) {
    const std::string seq = each.seq == 0 ? "" : fmt::format(" seq {}:", each.seq);
    environment.out << fmt::format("{}note:{} {}{}\n", palette.yellow, seq, palette.off, each.text);
  }
  environment.out << fmt::format(
      "{}{}{}: {} records ({} to {}) in {} files, {} checkpoints, {} lost by their own word\n",
      done.good() ? palette.green : palette.red, done.good() ? "good" : "NOT GOOD", palette.off,
      done.records, done.first_seq, done.last_seq, done.files, done.checkpoints, done.lost);
}

/// Never over a file that is there.
bool write_new(const std::string& path, mode_t mode, const std::string& text,
               const Environment& environment) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  const bool good =
      fd >= 0 && ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const int error = errno;
  if (fd >= 0) {
    ::close(fd);
  }
  if (!good) {
    print_error(environment, fmt::format("{}: {}", path, std::generic_category().message(error)));
  }
  return good;
}

}  // namespace

int audit_verify(const AuditVerifyOptions& options, const Environment& environment) {
  const auto files = find_audit_log(options.log);
  if (!files) {
    print_error(environment, files.error());
    return kInvalidConfig;
  }
  if (auto told = announce_reading(options.log, *files, "verify", ""); !told) {
    print_error(environment, told.error());
    return kRuntimeFailure;
  }
  auto done = Result<audit::Verification, std::string>(audit::Verification{});
  {
    Progress progress(environment);
    done = audit::verify(
        {.path = files->path,
         .public_key = options.public_key.empty() ? files->signing_key : options.public_key,
         .checkpoints = options.checkpoints,
         .threads = audit::piece_threads(),
         .on_progress = [&](uint64_t part, uint64_t all) { progress.show(part, all); }});
  }
  if (!done) {
    print_error(environment, done.error());
    return kRuntimeFailure;
  }
  if (options.json) {
    environment.out << admin::pretty(to_json(*done)) << '\n';
  } else {
    print_text(*done, environment);
  }
  return done->good() ? kOk : kRuntimeFailure;
}

int audit_keygen(const AuditKeygenOptions& options, const Environment& environment) {
  constexpr mode_t kSecretMode = 0600;
  constexpr mode_t kPublicMode = 0644;
  const tls::SigningKey key = tls::SigningKey::generate();
  const std::string public_out =
      options.public_out.empty() ? options.out + ".pub" : options.public_out;
  if (!write_new(options.out, kSecretMode, key.pem(), environment) ||
      !write_new(public_out, kPublicMode, key.public_pem(), environment)) {
    return kRuntimeFailure;
  }
  environment.out << fmt::format("key {}: {} (keep it secret), {} (give it to who verifies)\n",
                                 key.id(), options.out, public_out);
  return kOk;
}

int audit_key(const AuditKeyOptions& options, const Environment& environment) {
  const auto key = tls::VerifyingKey::load(options.file);
  if (!key) {
    print_error(environment, key.error());
    return kRuntimeFailure;
  }
  environment.out << key->pem();
  return kOk;
}

}  // namespace hangu::cli
