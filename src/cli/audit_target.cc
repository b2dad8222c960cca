#include "cli/audit_target.h"

#include <filesystem>

#include <fmt/format.h>

#include "hangu/admin/query.h"

#include "cli/admin_client.h"
#include "cli/config_file.h"
#include "cli/json_fields.h"

namespace hangu::cli {
namespace {

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
  const auto status = address
                          ? ask_admin(*address, {.method = "GET", .path = "/status"})
                          : Result<AdminReply, std::string>(Failure<std::string>{address.error()});
  if (!status) {
    const bool named = !target.target.socket.empty() || target.target.wants_tls();
    return named ? Result<void, std::string>(Failure<std::string>{status.error()})
                 : Result<void, std::string>();  // it does not run
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
                                               admin::percent_encode(what.substr(0, kWhatMax)))});
  if (!reply || reply->status != 200) {
    return Failure<std::string>{
        fmt::format("the gateway does not record that the log is read, so it is not: {}",
                    reply ? text_field(object_from(reply->body), "detail") : reply.error())};
  }
  return {};
}

}  // namespace hangu::cli
