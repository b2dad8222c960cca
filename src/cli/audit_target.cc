#include "cli/audit_target.h"

#include <filesystem>

#include <fmt/format.h>

#include "cli/admin_client.h"
#include "cli/config_file.h"
#include "cli/json_fields.h"

namespace hangu::cli {
namespace {

/// For a query: everything but letters and digits as %XX.
std::string escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (plain) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

bool same_file(const std::string& a, const std::string& b) {
  std::error_code error;
  return a == b || std::filesystem::equivalent(a, b, error);
}

}  // namespace

Result<AuditFiles, std::string> find_audit_log(const AuditTarget& target) {
  if (!target.log.empty()) {
    return AuditFiles{.path = target.log, .signing_key = {}};
  }
  const auto path = find_config(target.target.config);
  if (!path) {
    return Failure<std::string>{path.error() + "; say --log PATH or --config FILE"};
  }
  const config::LoadResult loaded = config::load_file(*path);
  if (!loaded.config) {
    return Failure<std::string>{
        fmt::format("{} is not valid, so it does not say where the log is; say --log PATH", *path)};
  }
  if (!loaded.config->audit.enabled) {
    return Failure<std::string>{fmt::format("{} has no audit log", *path)};
  }
  return AuditFiles{.path = loaded.config->audit.path,
                    .signing_key = loaded.config->audit.signing_key};
}

Result<void, std::string> announce_reading(const AuditTarget& target, const AuditFiles& files,
                                           std::string_view kind, std::string_view what) {
  const auto address = find_admin(target.target);
  if (!address && target.target.wants_tls()) {
    return Failure<std::string>{address.error()};
  }
  const auto status = address ? ask_admin(*address, {.method = "GET", .path = "/status"})
                              : Result<AdminReply, std::string>(Failure<std::string>{""});
  if (!status) {
    return {};  // it does not run
  }
  if (status->status != 200) {
    return Failure<std::string>{text_field(object_from(status->body), "detail")};
  }
  const std::string path = text_field(object_field(object_from(status->body), "audit"), "path");
  if (path.empty() || !same_file(path, files.path)) {
    return {};
  }
  constexpr size_t kWhatMax = 200;
  const auto reply =
      ask_admin(*address, {.method = "POST",
                           .path = fmt::format("/audit/reading?kind={}&what={}", kind,
                                               escape(what.substr(0, kWhatMax)))});
  if (!reply || reply->status != 200) {
    return Failure<std::string>{
        fmt::format("the gateway does not record that the log is read, so it is not: {}",
                    reply ? text_field(object_from(reply->body), "detail") : reply.error())};
  }
  return {};
}

}  // namespace hangu::cli
