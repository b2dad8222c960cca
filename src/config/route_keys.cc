#include "config/route_keys.h"

#include "config/action_keys.h"
#include "config/action_rules.h"
#include "config/identity_keys.h"
#include "config/network_file.h"
#include "config/split_keys.h"

namespace hangu::config {
namespace {

/// Reads the file, too.
class BodyFileType final : public ScalarType<DirectResponse> {
 public:
  std::string name() const override { return "file path"; }

  std::string schema() const override { return R"("type":"string","minLength":1)"; }

 protected:
  std::optional<Problem> parse(Reader& /*reader*/, const std::string& text,
                               DirectResponse& out) const override {
    out.file = text;
    return kFilePathRule.apply(out.file);
  }

  void complete(Reader& reader, const Node& node, DirectResponse& out) const override {
    constexpr size_t kBytesMax = 256 * kKiB;
    if (auto contents = reader.file_contents(node, out.file, kBytesMax)) {
      out.contents = std::move(*contents);
    }
  }

  Value format(const Config& /*config*/, const DirectResponse& value) const override {
    return value.file.empty() ? Value{} : Value::string(value.file);
  }

  std::string example() const override { return "/etc/hangu/closed.html"; }
};

TypePtr<Redirect> redirect() {
  auto type = switched<Redirect>("{scheme: https}");
  type->mapping()
      .key<&Redirect::scheme>(choice<std::string>({{"http", "http"}, {"https", "https"}}),
                              {.name = "scheme",
                               .documentation = "Of the new address; else as it was asked.",
                               .example = "https"})
      .key<&Redirect::host>(text(kHostRule),
                            {.name = "host",
                             .documentation = "Of the new address; else as it was asked.",
                             .example = "www.example.org"})
      .key<&Redirect::port>(
          number<uint32_t>({0, 65535, {}, "that of the scheme"}),
          {.name = "port", .documentation = "Of the new address.", .example = "8443"})
      .key<&Redirect::path>(text(kPathTextRule),
                            {.name = "path",
                             .documentation = "The new path; `{id}` stands for what the route's "
                                              "path captured. Excludes `prefix`.",
                             .example = "/welcome",
                             .alternative = true})
      .key<&Redirect::prefix>(
          text(kRoutePathRule),
          {.name = "prefix",
           .documentation = "What takes the place of the prefix that the route matches.",
           .example = "/v2",
           .alternative = true})
      .key<&Redirect::regex>(
          text(kRegexRule), {.name = "regex",
                             .documentation = "What `substitution` takes the place of in the path: "
                                              "the first match. Without one the path stays.",
                             .example = "\"^/u/([0-9]+)$\"",
                             .alternative = true})
      .key<&Redirect::substitution>(
          text(kSubstitutionRule),
          {.name = "substitution",
           .documentation = "With `\\1` for what the first group took; may have a query.",
           .example = "/users/\\1",
           .alternative = true})
      .key<&Redirect::status>(
          choice<uint32_t>({{"301", 301}, {"302", 302}, {"303", 303}, {"307", 307}, {"308", 308}}),
          {.name = "status",
           .documentation = "301 and 308 are for good: clients remember them. "
                            "With 307 and 308 they keep the method.",
           .example = "308"})
      .check(check_redirect);
  return type;
}

TypePtr<DirectResponse> respond() {
  auto type = switched<DirectResponse>("{status: 503, body: closed}");
  type->mapping()
      .key<&DirectResponse::status>(
          number<uint32_t>({200, 599}),
          {.name = "status", .documentation = "Of the answer.", .example = "503"})
      .key<&DirectResponse::body>(
          text(kTextRule),
          {.name = "body", .documentation = "Of the answer.", .example = "\"closed until six\\n\""})
      .group(std::make_unique<BodyFileType>(),
             {.name = "file",
              .documentation = "File with the body, in place of `body`; read with the config, at "
                               "most 256 KiB.",
              .example = "/etc/hangu/closed.html",
              .alternative = true})
      .key<&DirectResponse::content_type>(
          text(kHeaderValueRule),
          {.name = "content_type", .documentation = "Of the body.", .example = "application/json"})
      .key<&DirectResponse::retry_after>(
          duration(seconds(1), hours(24 * 30), "none"),
          {.name = "retry_after", .documentation = "The field of that name.", .example = "1h"})
      .check(check_respond);
  return type;
}

TypePtr<Rewrite> rewrite() {
  auto type = object<Rewrite>("mapping");
  type->key<&Rewrite::path>(text(kPathTextRule),
                            {.name = "path",
                             .documentation = "Path that the upstream sees; `{id}` stands for what "
                                              "the route's path captured. Excludes `prefix`.",
                             .example = "/app",
                             .alternative = true})
      .key<&Rewrite::prefix>(
          text(kRoutePathRule),
          {.name = "prefix",
           .documentation = "What takes the place of the prefix that the route matches: with the "
                            "prefix `/api` and `/` here, `/api/a` becomes `/a`.",
           .example = "/"})
      .key<&Rewrite::regex>(text(kRegexRule),
                            {.name = "regex",
                             .documentation = "What `substitution` takes the place of in the path: "
                                              "the first match. Without one the path stays.",
                             .example = "\"^/u/([0-9]+)$\"",
                             .alternative = true})
      .key<&Rewrite::substitution>(
          text(kSubstitutionRule),
          {.name = "substitution",
           .documentation = "With `\\1` for what the first group took; may have a query.",
           .example = "/users/\\1",
           .alternative = true})
      .key<&Rewrite::host>(text(kHostTextRule),
                           {.name = "host",
                            .documentation = "Host that the upstream sees; may have variables of "
                                             "the request: `{header.x-tenant}.internal`.",
                            .example = "app.internal"})
      .check(check_rewrite);
  return type;
}

TypePtr<Clients> clients() {
  auto type = object<Clients>("mapping");
  type->key<&Clients::allow>(networks(),
                             {.name = "allow",
                              .documentation = "Clients that may ask; others get 403. Empty: all.",
                              .example = "[10.0.0.0/8]"})
      .key<&Clients::allow_file>(
          std::make_unique<NetworkFileType>(),
          {.name = "allow_file",
           .documentation = "More of those that may ask: a file with a network or address a line; "
                            "`#` begins a comment. Read with this config, millions are fine.",
           .example = "/etc/hangu/partners.txt",
           .alternative = true})
      .key<&Clients::deny>(networks(), {.name = "deny",
                                        .documentation = "Clients that get 403 in any case.",
                                        .example = "[10.6.6.0/24]"})
      .key<&Clients::deny_file>(std::make_unique<NetworkFileType>(),
                                {.name = "deny_file",
                                 .documentation = "More of those, as in `allow_file`.",
                                 .example = "/etc/hangu/blocked.txt",
                                 .alternative = true})
      .key<&Clients::mode>(
          mode(), {.name = "mode", .documentation = kModeDocumentation, .example = "shadow"});
  return type;
}

}  // namespace

void add_route_actions(ObjectType<Route>& type) {
  type.key<&Route::split>(split_keys(),
                          {.name = "split",
                           .documentation = "Several upstreams share the requests, such "
                                            "as two versions of a service.",
                           .example = "{upstreams: [{upstream: users, weight: 95}]}",
                           .alternative = true})
      .key<&Route::redirect>(redirect(), {.name = "redirect",
                                          .documentation = "Send clients to another address.",
                                          .example = "{scheme: https, status: 308}",
                                          .alternative = true})
      .key<&Route::respond>(respond(), {.name = "respond",
                                        .documentation = "Answer without asking an upstream.",
                                        .example = "{status: 503, retry_after: 1h}",
                                        .alternative = true})
      .key<&Route::rewrite>(
          rewrite(),
          {.name = "rewrite", .documentation = "What the upstream sees.", .example = "{prefix: /}"})
      .key<&Route::clients>(clients(), {.name = "clients",
                                        .documentation = "Who may ask, by address.",
                                        .example = "{allow: [10.0.0.0/8]}"});
  add_policy_actions(type);
}

}  // namespace hangu::config
