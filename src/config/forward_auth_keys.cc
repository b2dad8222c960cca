// The keys of one of `forward_auths`. See schema.cc.
#include "config/identity_checks.h"
#include "config/keys.h"

namespace hangu::config {
namespace {

TypePtr<std::vector<std::string>> fields(std::string_view example) {
  return list(text(kHeaderNameRule),
              {.name = "list of field names", .example = example, .warn_repeated = true});
}

TypePtr<DecisionCache> decision_cache() {
  auto type = switched<DecisionCache>("{key: [\"header:authorization\", method, path]}");
  type->mapping()
      .key<&DecisionCache::key>(
          list<KeyPart>(std::make_unique<KeyPartType>(),
                        {.name = "list of key parts",
                         .example = "[\"header:authorization\", method, path]",
                         .at_least_one = true}),
          {.name = "key",
           .documentation = "Requests that are alike in all of these get the same decision: name "
                            "everything that it depends on.",
           .example = "[\"header:authorization\", method, path]",
           .required = true})
      .key<&DecisionCache::ttl>(duration(milliseconds(1), seconds(10)),
                                {.name = "ttl",
                                 .documentation = "How long a request that was allowed is.",
                                 .example = "10s"})
      .key<&DecisionCache::deny_ttl>(
          duration(milliseconds(1), seconds(10)),
          {.name = "deny_ttl", .documentation = "The same for refused ones.", .example = "500ms"})
      .key<&DecisionCache::entries>(number<uint32_t>({16, 1'000'000}),
                                    {.name = "entries",
                                     .documentation = "Decisions that are kept, per worker, of at "
                                                      "most 8 KiB each.",
                                     .example = "65536"});
  return type;
}

TypePtr<ShownBody> shown_body() {
  auto type = switched<ShownBody>("{max: 8KiB}");
  type->mapping()
      .key<&ShownBody::bytes_max>(
          size<uint64_t>({1, 64 * kKiB}),
          {.name = "max",
           .documentation = "So much of it at most; the request waits until it has come.",
           .example = "4KiB"})
      .key<&ShownBody::on_large>(
          choice<OnLargeBody>({{"refuse", OnLargeBody::kRefuse}, {"omit", OnLargeBody::kOmit}}),
          {.name = "on_large",
           .documentation = "A larger one: 413, or the service is asked without it and told so "
                            "by `X-Forwarded-Body: omitted`.",
           .example = "omit"});
  return type;
}

void add_question(ObjectType<ForwardAuth>& type) {
  type.key<&ForwardAuth::upstream>(std::make_unique<UpstreamRefType>("upstream", "upstreams"),
                                   {.name = "upstream",
                                    .documentation = "Who is asked, by `GET`.",
                                    .example = "users",
                                    .required = true})
      .key<&ForwardAuth::path>(
          text(kTargetRule),
          {.name = "path", .documentation = "What it is asked for.", .example = "/verify"})
      .key<&ForwardAuth::path_prefix>(
          text(kRoutePathRule),
          {.name = "path_prefix",
           .documentation = "In place of `path`: what the path and query of the request are "
                            "appended to.",
           .example = "/check",
           .alternative = true})
      .key<&ForwardAuth::timeout>(
          duration(milliseconds(1), minutes(1)),
          {.name = "timeout",
           .documentation = "How long an answer may take, from the connection on.",
           .example = "50ms"})
      .key<&ForwardAuth::request_headers>(
          fields("[authorization, cookie]"),
          {.name = "request_headers",
           .documentation = "Fields of the request that it gets, beside `X-Request-Id`, "
                            "`traceparent`, `X-Forwarded-Method`, `-Proto`, `-Host`, `-Uri` and "
                            "`-For`, and `X-Consumer-Name` if the client has proved who it is.",
           .example = "[authorization, cookie]"})
      .key<&ForwardAuth::body>(
          shown_body(),
          {.name = "body",
           .documentation = "It gets the body of the request, too: by `POST`, with the fields that "
                            "say what it is.",
           .example = "{max: 8KiB}",
           .alternative = true})
      .key<&ForwardAuth::requests_max>(
          number<uint32_t>({1, 100'000}),
          {.name = "requests_max",
           .documentation = "Requests that wait for its answer at once, per worker; of further "
                            "ones `on_error` decides.",
           .example = "200"});
}

void add_answer(ObjectType<ForwardAuth>& type) {
  type.key<&ForwardAuth::on_error>(
          choice<OnAuthError>({{"deny", OnAuthError::kDeny}, {"allow", OnAuthError::kAllow}}),
          {.name = "on_error",
           .documentation = "When it does not answer in time, cannot be reached, or answers with "
                            "5xx.",
           .example = "allow"})
      .key<&ForwardAuth::status_on_error>(number<uint32_t>({400, 599}),
                                          {.name = "status_on_error",
                                           .documentation = "What clients get then, with `deny`.",
                                           .example = "503"})
      .key<&ForwardAuth::response_headers>(
          fields("[x-user]"),
          {.name = "response_headers",
           .documentation = "Fields of an answer of 2xx that go to the upstream. From clients "
                            "these are taken, whatever the `mode`.",
           .example = "[x-user, x-roles]"})
      .key<&ForwardAuth::client_headers>(
          fields("[www-authenticate]"),
          {.name = "client_headers",
           .documentation = "Fields of any other answer that go to the client, with its status and "
                            "body: a redirect to a login, for one.",
           .example = "[www-authenticate, location]"})
      .key<&ForwardAuth::consumer_header>(
          text(kHeaderNameRule),
          {.name = "consumer_header",
           .documentation = "The field of an answer of 2xx that says who the client is, for rules, "
                            "limits, logs and `X-Consumer-Name`.",
           .example = "x-auth-user"})
      .key<&ForwardAuth::groups_header>(
          text(kHeaderNameRule),
          {.name = "groups_header",
           .documentation = "The same for its groups, with commas between them.",
           .example = "x-auth-groups"});
}

}  // namespace

TypePtr<ForwardAuth> forward_auth_keys() {
  auto type = object<ForwardAuth>("authorization service");
  type->key<&ForwardAuth::name>(text(kNameRule),
                                {.name = "name",
                                 .documentation = "Unique name; routes refer to it, logs and "
                                                  "metrics show it.",
                                 .example = "policy",
                                 .required = true})
      .key<&ForwardAuth::mode>(
          mode(), {.name = "mode",
                   .documentation = "`shadow`: ask, log and count what it would have refused, "
                                    "refuse nothing. `off`: do not ask.",
                   .example = "shadow"});
  add_question(*type);
  add_answer(*type);
  type->key<&ForwardAuth::cache>(
          decision_cache(),
          {.name = "cache",
           .documentation = "Remember decisions; never answers with `Set-Cookie` or "
                            "`Cache-Control: no-store`.",
           .example = "{key: [\"header:authorization\", method, path]}"})
      .check(check_forward_auth);
  return type;
}

}  // namespace hangu::config
