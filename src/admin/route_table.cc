#include "admin/route_table.h"

#include <array>

#include "admin/answers.h"
#include "admin/document_routes.h"

namespace hangu::admin {
namespace {

constexpr std::string_view kJson = "application/json";
constexpr std::string_view kText = "text/plain";

// Parameters.

constexpr Parameter kOrder[] = {
    {.name = "upstream", .documentation = "Its name.", .required = true},
    {.name = "endpoint", .documentation = "Its address, or the host of several.", .required = true},
    {.name = "order",
     .documentation = "What is to be.",
     .words = "ready|drain|maint",
     .required = true}};
constexpr Parameter kPluginChange[] = {
    {.name = "name", .documentation = "Of the plugin.", .required = true},
    {.name = "change",
     .documentation = "To what its file holds, or back.",
     .words = "swap|rollback",
     .required = true}};
constexpr Parameter kRelease[] = {
    {.name = "route", .documentation = "Whose release it is.", .required = true},
    {.name = "order",
     .documentation = "What is to become of it.",
     .words = "pause|resume|promote|abort",
     .required = true}};
constexpr Parameter kExplained[] = {
    {.name = "method", .documentation = "Of the request; GET unless said."},
    {.name = "url", .documentation = "Of the request.", .required = true},
    {.name = "header", .documentation = "A field, as `Name: value`; may be repeated."},
    {.name = "client", .documentation = "The address that the connection is from."}};
constexpr Parameter kReading[] = {
    {.name = "kind",
     .documentation = "Of reading.",
     .words = "read|export|verify",
     .required = true},
    {.name = "what", .documentation = "For the record: which part of the log."}};
constexpr Parameter kBinary[] = {
    {.name = "binary", .documentation = "Another one than that of this process: its path."}};
constexpr Parameter kDryRun[] = {{.name = "dry_run",
                                  .documentation = "Only says what would come of it.",
                                  .words = "true|false"}};
constexpr Parameter kMatch[] = {
    {.name = "If-Match", .documentation = "ETags, one of which the document has, or *."},
    {.name = "If-None-Match", .documentation = "*: there is no such document."}};
constexpr Parameter kConfigMatch[] = {
    {.name = "If-Match", .documentation = "The `config_etag` that the change builds on."}};
constexpr Parameter kKnown[] = {
    {.name = "If-None-Match", .documentation = "ETags; 304 when it has one of them."}};

// Answers, beside problems.

constexpr Answer kIndex[] = {{200, kJson, "Index"}};
constexpr Answer kPlainText[] = {{200, kText, ""}};
constexpr Answer kStatus[] = {{200, kJson, "Status"}};
constexpr Answer kUpstreams[] = {{200, kJson, "Upstreams"}};
constexpr Answer kPlugins[] = {{200, kJson, "Plugins"}};
constexpr Answer kPluginChanged[] = {{200, kJson, "PluginChange"}};
constexpr Answer kReleases[] = {{200, kJson, "Releases"}};
constexpr Answer kYaml[] = {{200, "application/yaml", ""}};
constexpr Answer kExplanation[] = {{200, kJson, "Explanation"}};
constexpr Answer kRecorded[] = {{200, kJson, "Recorded"}};
constexpr Answer kReloaded[] = {{200, kJson, "Reload"}};
constexpr Answer kUpgraded[] = {{200, kJson, "Upgrade"}};
constexpr Answer kLogin[] = {{200, kJson, "Login"}};
constexpr Answer kLogout[] = {{200, kJson, "Logout"}};
constexpr Answer kSession[] = {{200, kJson, "Session"}};
constexpr Answer kDocuments[] = {{200, kJson, "Documents"}, {304, "", ""}};
constexpr Answer kElement[] = {{200, kJson, "Element"}, {304, "", ""}};
constexpr Answer kPut[] = {
    {200, kJson, "Changed"}, {201, kJson, "Changed"}, {202, kJson, "Changed"}};
constexpr Answer kChanged[] = {{200, kJson, "Changed"}, {202, kJson, "Changed"}};
constexpr Answer kOpenApi[] = {{200, kJson, "OpenApi"}};

constexpr std::array kRoutes = {
    Route{"GET", "/", kAnyone, "this list", answer_index, {.answers = kIndex}},
    Route{"GET",
          "/health",
          kAnyone,
          "200 while the process lives; also /healthz",
          answer_health,
          {.answers = kPlainText}},
    Route{"GET",
          "/ready",
          kAnyone,
          "200 when it takes traffic, 503 with the reason when not; also /readyz",
          answer_ready,
          {.answers = kPlainText}},
    Route{"GET",
          "/status",
          kEverybody,
          "listeners, upstreams, shards, generation, last reload",
          answer_status,
          {.answers = kStatus}},
    Route{"GET",
          "/upstreams",
          kEverybody,
          "endpoints: their health, the last answers to checks, orders",
          answer_upstreams,
          {.answers = kUpstreams}},
    Route{"POST",
          "/endpoint",
          kSystem,
          "?upstream=NAME&endpoint=ADDRESS&order=drain, maint or ready",
          answer_endpoint,
          {.query = kOrder, .answers = kUpstreams}},
    Route{"GET",
          "/plugins",
          kEverybody,
          "plugins: their versions, what they did and cost",
          answer_plugins,
          {.answers = kPlugins}},
    Route{"POST",
          "/plugin",
          kSecurity,
          "?name=NAME&change=swap (to what its file holds) or rollback",
          answer_plugin,
          {.query = kPluginChange, .answers = kPluginChanged}},
    Route{"GET",
          "/releases",
          kEverybody,
          "releases: their shares, states and what led to them",
          answer_releases,
          {.answers = kReleases}},
    Route{"POST",
          "/release",
          kSystem,
          "?route=NAME&order=pause, resume, promote (to its end) or abort (back to nothing)",
          answer_release,
          {.query = kRelease, .answers = kReleases}},
    Route{"GET",
          "/metrics",
          kAnyone,
          "Prometheus text format 0.0.4",
          answer_metrics,
          {.answers = kPlainText}},
    Route{"GET",
          "/config",
          kEverybody,
          "the effective config as YAML, secrets masked",
          answer_config,
          {.answers = kYaml}},
    Route{"GET",
          "/config/documents",
          kEverybody,
          "the elements of the config's lists: of the file, and documents",
          list_documents,
          {.fields = kKnown, .answers = kDocuments}},
    Route{"GET",
          "/config/documents/{list}/{name}",
          kEverybody,
          "one as it was written, secrets masked; YAML by Accept",
          get_document,
          {.fields = kKnown, .answers = kElement}},
    Route{"PUT",
          "/config/documents/{list}/{name}",
          kSystem | kSecurity,
          "makes or replaces a document: If-Match, If-None-Match: *, ?dry_run=true",
          put_document,
          {.query = kDryRun, .fields = kMatch, .body = "Element", .answers = kPut}},
    Route{"DELETE",
          "/config/documents/{list}/{name}",
          kSystem | kSecurity,
          "removes a document: If-Match, ?dry_run=true",
          delete_document,
          {.query = kDryRun, .fields = kMatch, .answers = kChanged}},
    Route{"POST",
          "/config/changes",
          kSystem | kSecurity,
          "several documents at once, all or none: If-Match of them all, ?dry_run=true",
          change_documents,
          {.query = kDryRun, .fields = kConfigMatch, .body = "Change", .answers = kPut}},
    Route{"GET",
          "/explain",
          kEverybody,
          "which route takes a request: ?method=GET&url=...&header=Name: value&client=192.0.2.1",
          answer_explain,
          {.query = kExplained, .answers = kExplanation}},
    Route{"POST",
          "/audit/reading",
          kAudit,
          "records that the audit log is read: ?kind=read|export|verify&what=...",
          answer_reading,
          {.query = kReading, .answers = kRecorded}},
    Route{"POST",
          "/reload",
          kSystem | kSecurity,
          "reads the config again: 200 applied, 422 invalid, 409 refused",
          answer_reload,
          {.answers = kReloaded}},
    Route{"POST",
          "/upgrade",
          kSystem,
          "starts the binary anew and leaves everything to it: 200 done, 409 refused; ?binary=PATH "
          "over the Unix socket alone",
          answer_upgrade,
          {.query = kBinary, .answers = kUpgraded}},
    Route{"POST",
          "/login",
          kAnyone,
          "Authorization: Basic; a session's token for an administrator",
          answer_login,
          {.answers = kLogin}},
    Route{"POST",
          "/logout",
          kAnyone,
          "Authorization: Bearer; ends the session",
          answer_logout,
          {.answers = kLogout}},
    Route{"GET",
          "/session",
          kAnyone,
          "who you are here, and your role",
          answer_session,
          {.answers = kSession}},
    Route{"GET",
          "/openapi.json",
          kAnyone,
          "this API as OpenAPI 3.1 describes it",
          answer_openapi,
          {.answers = kOpenApi}},
};

}  // namespace

std::span<const Route> routes() {
  return kRoutes;
}

std::vector<std::string_view> role_names(Roles roles) {
  using config::AdminRole;
  std::vector<std::string_view> names;
  for (const AdminRole role : {AdminRole::kSystem, AdminRole::kSecurity, AdminRole::kAudit}) {
    if ((roles & role_bit(role)) != 0) {
      names.push_back(to_string(role));
    }
  }
  return names;
}

FoundRoute find_route(std::string_view method, std::string_view path) {
  FoundRoute out;
  for (const Route& route : kRoutes) {
    const size_t open = route.path.find('{');
    const std::string_view fixed = route.path.substr(0, open);
    const bool has_key = open != std::string_view::npos;
    if (has_key ? !path.starts_with(fixed) || path.size() == fixed.size() : path != fixed) {
      continue;
    }
    out.allowed += out.allowed.empty() ? "" : ", ";
    out.allowed += route.method == "GET" ? "GET, HEAD" : std::string(route.method);
    if (route.method == method) {
      out.route = &route;
      out.key = has_key ? std::string(path.substr(fixed.size())) : std::string();
    }
  }
  return out;
}

}  // namespace hangu::admin
