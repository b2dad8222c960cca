// The keys of `cors`, `compression`, `fault` and `mirror` of a route. See schema.cc.
#include "config/action_keys.h"

#include "config/action_rules.h"
#include "config/keys.h"
#include "config/openapi_keys.h"

namespace hangu::config {
namespace {

void add_cors_origins(ObjectType<Cors>& type) {
  type.key<&Cors::origins>(
          list(text(kOriginRule), {.name = "list of origins",
                                   .example = "[\"https://app.example.org\"]",
                                   .warn_repeated = true}),
          {.name = "origins",
           .documentation = "Whose pages may read the answers; `https://*.example.org` for those "
                            "of all hosts below one, `*` for all.",
           .example = "[\"https://app.example.org\"]"})
      .key<&Cors::patterns>(
          list(text(kRegexRule), {.name = "list of regular expressions",
                                  .example = "[\"https://pr-[0-9]+[.]example[.]org\"]"}),
          {.name = "origins_regex",
           .documentation = "The same by regular expressions, each of a whole origin.",
           .example = "[\"https://pr-[0-9]+[.]example[.]org\"]"})
      .key<&Cors::refuse_others>(
          on_off(),
          {.name = "refuse_others",
           .documentation = "Answer 403 to requests with another `Origin` than these or the "
                            "host's own; else they pass, and only cannot be read. Keeps pages "
                            "of others from opening WebSockets.",
           .example = "on"})
      .key<&Cors::mode>(mode(), {.name = "mode",
                                 .documentation = "`shadow`: answer no preflight and mark no "
                                                  "response, but log and count what would be "
                                                  "refused. `off`: do nothing.",
                                 .example = "shadow"});
}

TypePtr<Cors> cors() {
  auto type = switched<Cors>("{origins: [\"https://app.example.org\"]}");
  add_cors_origins(type->mapping());
  type->mapping()
      .key<&Cors::methods>(
          list(text(kAllowedMethodRule), {.name = "list of methods", .example = "[GET, POST]"}),
          {.name = "methods",
           .documentation = "What their pages may do; `*`: whatever the routes take.",
           .example = "[GET, POST]"})
      .key<&Cors::headers>(
          list(text(kAllowedNameRule), {.name = "list of field names", .example = "[x-tenant]"}),
          {.name = "headers",
           .documentation = "Request fields they may send, beside those that every page may; `*`: "
                            "all.",
           .example = "[authorization, content-type, x-tenant]"})
      .key<&Cors::expose>(
          list(text(kHeaderNameRule), {.name = "list of field names", .example = "[x-total]"}),
          {.name = "expose",
           .documentation = "Response fields their scripts may read, beside the usual ones.",
           .example = "[x-total]"})
      .key<&Cors::credentials>(
          on_off(), {.name = "credentials",
                     .documentation = "Let requests with cookies be read. Not with `*` among the "
                                      "origins.",
                     .example = "on"})
      .key<&Cors::max_age>(duration(Duration::zero(), hours(24)),
                           {.name = "max_age",
                            .documentation = "How long browsers remember the answer to a "
                                             "preflight (most of them two hours at most).",
                            .example = "2h"})
      .key<&Cors::private_network>(
          on_off(), {.name = "private_network",
                     .documentation = "Let pages from the Internet ask this gateway on a private "
                                      "network.",
                     .example = "on"})
      .check(check_cors);
  return type;
}

TypePtr<Compression> levels() {
  auto type = object<Compression>("mapping");
  type->key<&Compression::gzip_level>(
          number<uint32_t>({1, 9}),
          {.name = "gzip", .documentation = "Of gzip; more is smaller and slower.", .example = "6"})
      .key<&Compression::brotli_level>(
          number<uint32_t>({0, 6}), {.name = "br", .documentation = "Of Brotli.", .example = "5"})
      .key<&Compression::zstd_level>(
          number<uint32_t>({1, 6}),
          {.name = "zstd", .documentation = "Of Zstandard.", .example = "6"});
  return type;
}

TypePtr<Compression> compression() {
  auto type = switched<Compression>("{bytes_min: 2KiB}");
  type->mapping()
      .key<&Compression::codings>(
          list(choice<ContentCoding>({{"gzip", ContentCoding::kGzip},
                                      {"br", ContentCoding::kBrotli},
                                      {"zstd", ContentCoding::kZstd}}),
               {.name = "list of codings",
                .example = "[br, gzip]",
                .at_least_one = true,
                .warn_repeated = true}),
          {.name = "codings",
           .documentation = "Which to use, the one liked best first. What a client likes better "
                            "(`q` in Accept-Encoding) comes before.",
           .example = "[br, gzip]"})
      .group(levels(),
             {.name = "levels", .documentation = "How hard to try.", .example = "{gzip: 6}"})
      .key<&Compression::bytes_min>(
          size<uint64_t>({0, 1 * kGiB}),
          {.name = "bytes_min",
           .documentation = "Leave smaller bodies alone. Those of unknown length are compressed.",
           .example = "2KiB"})
      .key<&Compression::types>(
          list(text(kMediaTypeRule),
               {.name = "list of media types", .example = "[\"text/*\"]", .warn_repeated = true}),
          {.name = "types",
           .documentation = "Media types to compress.",
           .example = "[\"text/*\", application/json]"})
      .key<&Compression::with_credentials>(
          on_off(),
          {.name = "with_credentials",
           .documentation =
               "Compress also what is answered to requests with cookies, a password or a client "
               "certificate, and answers that set cookies. Off, since lengths could tell a "
               "secret to who makes a browser ask again and again (BREACH).",
           .example = "on"});
  return type;
}

TypePtr<Fault> fault_delay() {
  auto type = object<Fault>("mapping");
  type->key<&Fault::delay>(
          duration(milliseconds(1), minutes(10), "none"),
          {.name = "time", .documentation = "How long requests wait.", .example = "2s"})
      .key<&Fault::delay_percent>(
          percent(), {.name = "percent", .documentation = "How many of them.", .example = "5"});
  return type;
}

TypePtr<Fault> fault_abort() {
  auto type = object<Fault>("mapping");
  type->key<&Fault::abort_status>(number<uint32_t>({0, 599, {}, "none"}),
                                  {.name = "status",
                                   .documentation = "Of the answer in place of the upstream's.",
                                   .example = "503"})
      .key<&Fault::abort_grpc_status>(
          number<uint32_t>({1, 16}),
          {.name = "grpc_status", .documentation = "What gRPC calls get instead.", .example = "8"})
      .key<&Fault::abort_percent>(
          percent(), {.name = "percent", .documentation = "How many requests.", .example = "1"});
  return type;
}

TypePtr<Fault> fault() {
  auto type = switched<Fault>("{delay: {time: 2s, percent: 5}}");
  type->mapping()
      .key<&Fault::mode>(mode(), {.name = "mode",
                                  .documentation = "`shadow`: log and count, and do no harm. "
                                                   "`off`: do nothing.",
                                  .example = "shadow"})
      .group(fault_delay(), {.name = "delay",
                             .documentation = "Make requests wait.",
                             .example = "{time: 2s, percent: 5}"})
      .group(fault_abort(), {.name = "abort",
                             .documentation = "Answer requests with an error, after the delay.",
                             .example = "{status: 503, percent: 1}"})
      .key<&Fault::delayed_max>(
          number<uint32_t>({1, 1'000'000}),
          {.name = "delayed_max",
           .documentation = "Requests that wait at once, per worker; further ones do not.",
           .example = "100"})
      .check(check_fault);
  return type;
}

TypePtr<Mirror> mirror() {
  auto type = switched<Mirror>("{upstream: next, percent: 10}");
  type->mapping()
      .key<&Mirror::upstream>(std::make_unique<UpstreamRefType>("upstream", "upstreams"),
                              {.name = "upstream",
                               .documentation = "Who gets the copies.",
                               .example = "users",
                               .required = true})
      .key<&Mirror::percent>(
          percent(),
          {.name = "percent", .documentation = "How many requests are copied.", .example = "10"})
      .key<&Mirror::body_bytes_max>(size<uint64_t>({0, 1 * kMiB}),
                                    {.name = "body_max",
                                     .documentation = "Requests with a larger body are not copied.",
                                     .example = "256KiB"})
      .key<&Mirror::requests_max>(
          number<uint32_t>({1, 10'000}),
          {.name = "requests_max",
           .documentation = "Copies under way at once, per worker and upstream; while there are "
                            "so many no more are made.",
           .example = "20"})
      .key<&Mirror::host>(text(kHostRule), {.name = "host",
                                            .documentation = "Host that the copies are for; else "
                                                             "as it was asked. Excludes "
                                                             "`host_suffix`.",
                                            .example = "next.internal",
                                            .alternative = true})
      .key<&Mirror::host_suffix>(
          text(kHostSuffixRule),
          {.name = "host_suffix",
           .documentation = "Or what is added to the host: `-next` makes `a.example` "
                            "`a.example-next`.",
           .example = "-next"})
      .key<&Mirror::timeout>(
          duration(milliseconds(1), hours(1)),
          {.name = "timeout", .documentation = "How long a copy may take in all.", .example = "2s"})
      .check(check_mirror);
  return type;
}

}  // namespace

void add_policy_actions(ObjectType<Route>& type) {
  type.key<&Route::cors>(cors(), {.name = "cors",
                                  .documentation = "Let pages of other origins read the answers; "
                                                   "the gateway answers their preflights.",
                                  .example = "{origins: [\"https://app.example.org\"]}",
                                  .alternative = true})
      .key<&Route::compression>(
          compression(),
          {.name = "compression", .documentation = "Compress responses.", .example = "on"})
      .key<&Route::fault>(fault(), {.name = "fault",
                                    .documentation = "Make faults, to see how clients take them.",
                                    .example = "{delay: {time: 2s, percent: 5}}",
                                    .alternative = true})
      .key<&Route::openapi>(openapi_keys(),
                            {.name = "openapi",
                             .documentation = "Requests have to be as an OpenAPI description says.",
                             .example = "{file: /etc/hangu/users.yaml}",
                             .alternative = true})
      .key<&Route::mirror>(mirror(), {.name = "mirror",
                                      .documentation = "Copy requests to another upstream, whose "
                                                       "answers are dropped.",
                                      .example = "{upstream: users, percent: 10}",
                                      .alternative = true});
}

}  // namespace hangu::config
