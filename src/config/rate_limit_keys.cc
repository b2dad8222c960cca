// The keys of one of `rate_limits` and of `stores`. See schema.cc.
#include "config/keys.h"
#include "config/limit_keys.h"
#include "config/secret_type.h"
#include "config/tls_keys.h"

namespace hangu::config {
namespace {

TypePtr<Quota> quota() {
  auto type = object<Quota>("mapping");
  type->key<&Quota::limit>(number<uint64_t>({1, 100'000'000'000'000}),
                           {.name = "limit",
                            .documentation = "How many, for each key.",
                            .example = "100000",
                            .required = true})
      .key<&Quota::per>(
          choice<QuotaPeriod>({{"day", QuotaPeriod::kDay}, {"month", QuotaPeriod::kMonth}}),
          {.name = "per",
           .documentation = "The time after which counting begins anew.",
           .example = "month"})
      .key<&Quota::offset_minutes>(std::make_unique<UtcOffsetType>(),
                                   {.name = "offset",
                                    .documentation = "Of local time, by which days begin, from "
                                                     "UTC.",
                                    .example = "+08:00"});
  return if_given(std::move(type));
}

TypePtr<RateMatch> rate_path() {
  auto type = object<RateMatch>("mapping");
  type->key<&RateMatch::path_exact>(text(kRoutePathRule),
                                    {.name = "exact",
                                     .documentation = "This path and no other. Excludes `prefix`.",
                                     .example = "/login",
                                     .alternative = true})
      .key<&RateMatch::path_prefix>(text(kRoutePathRule),
                                    {.name = "prefix",
                                     .documentation = "This path and those below it.",
                                     .example = "/upload"})
      .check(check_rate_path);
  return type;
}

TypePtr<RateMatch> rate_match() {
  auto type = object<RateMatch>("mapping");
  type->key<&RateMatch::methods>(
          list(text(kMethodRule),
               {.name = "list of methods", .example = "[POST]", .warn_repeated = true}),
          {.name = "methods",
           .documentation = "Methods that count. Empty: any.",
           .example = "[POST, PUT]"})
      .group(rate_path(), {.name = "path",
                           .documentation = "Paths that count, normalised. Without it: any.",
                           .example = "{prefix: /upload}"})
      .key<&RateMatch::skip_preflight>(
          on_off(), {.name = "skip_preflight",
                     .documentation = "Preflight requests of browsers (CORS) do not count.",
                     .example = "on"});
  return type;
}

TypePtr<RateCluster> rate_cluster() {
  auto type = object<RateCluster>("mapping");
  type->key<&RateCluster::store>(std::make_unique<StoreRefType>("store", "stores"),
                                 {.name = "store",
                                  .documentation = "One of `stores`.",
                                  .example = "shared",
                                  .required = true})
      .key<&RateCluster::mode>(
          choice<ClusterMode>({{"sync", ClusterMode::kSync}, {"strict", ClusterMode::kStrict}}),
          {.name = "mode",
           .documentation = "`sync`: nodes decide by themselves and exchange counts every "
                            "`sync_interval`. `strict`: the store decides; each request waits for "
                            "it.",
           .example = "strict"})
      .key<&RateCluster::on_store_error>(
          choice<OnStoreError>({{"local", OnStoreError::kLocal},
                                {"allow", OnStoreError::kAllow},
                                {"deny", OnStoreError::kDeny}}),
          {.name = "on_store_error",
           .documentation = "When the store does not answer: each node counts "
                            "for itself, or requests pass, or get 503.",
           .example = "deny"});
  return if_given(std::move(type));
}

void add_scope(ObjectType<RateLimit>& type) {
  type.key<&RateLimit::scope>(
          choice<RateScope>({{"node", RateScope::kNode},
                             {"shard", RateScope::kShard},
                             {"cluster", RateScope::kCluster}}),
          {.name = "scope",
           .documentation = "Who counts together: the workers of this node; each worker by "
                            "itself, with its part of `rate` and `burst`; or all nodes "
                            "that share a store.",
           .example = "shard"})
      .key<&RateLimit::accuracy>(
          choice<RateAccuracy>({{"exact", RateAccuracy::kExact}, {"lease", RateAccuracy::kLease}}),
          {.name = "accuracy",
           .documentation = "With `scope: node`. `lease`: workers take a hundredth of a second's "
                            "worth, at most 64, at once and share less.",
           .example = "lease"})
      .key<&RateLimit::cluster>(rate_cluster(), {.name = "cluster",
                                                 .documentation = "With `scope: cluster`.",
                                                 .example = "{store: shared}",
                                                 .alternative = true});
}

void add_counting(ObjectType<RateLimit>& type) {
  type.key<&RateLimit::rate>(std::make_unique<RateType>(),
                             {.name = "rate",
                              .documentation = "Requests in the long run, for each key. A limit "
                                               "has a `rate` or a `quota`.",
                              .example = "100/s"})
      .key<&RateLimit::quota>(quota(), {.name = "quota",
                                        .documentation = "So many in a day or month of the "
                                                         "calendar. Survives a restart.",
                                        .example = "{limit: 100000, per: month}",
                                        .alternative = true})
      .key<&RateLimit::burst>(
          number<uint64_t>({0, 1'000'000'000, {}, "as many as the `rate` allows in a second"}),
          {.name = "burst",
           .documentation = "Requests at once, after a pause long enough. With `scope: shard` and "
                            "`accuracy: lease` a few more: see docs/traffic.md.",
           .example = "200"})
      .key<&RateLimit::cost>(
          std::make_unique<RateCostType>(),
          {.name = "cost",
           .documentation =
               "What a request takes of the limit. Bytes and the number in a field of the "
               "response are known when it has ended: they may put a key into debt, and its "
               "next request waits.",
           .example = "response_bytes"})
      .key<&RateLimit::match>(rate_match(), {.name = "match",
                                             .documentation = "Which requests of a route count; "
                                                              "without it: all.",
                                             .example = "{methods: [POST]}"});
  add_counted_apart(
      type, {.documentation = "What is counted apart: requests that are alike in all of these "
                              "share a count. `path` is the normalised path.",
             .example = "[\"header:x-tenant\", route]"});
}

void add_answers(ObjectType<RateLimit>& type) {
  type.key<&RateLimit::status>(number<uint32_t>({400, 599}),
                               {.name = "status",
                                .documentation = "Of the answer to a request over the limit.",
                                .example = "503"})
      .key<&RateLimit::headers>(
          choice<RateHeaders>({{"draft", RateHeaders::kDraft},
                               {"legacy", RateHeaders::kLegacy},
                               {"both", RateHeaders::kBoth},
                               {"off", RateHeaders::kOff}}),
          {.name = "headers",
           .documentation = "`draft`: `RateLimit` and `RateLimit-Policy` of the IETF's "
                            "draft. `legacy`: `X-RateLimit-Limit`, `-Remaining` and "
                            "`-Reset`.",
           .example = "both"})
      .key<&RateLimit::headers_on>(
          choice<RateHeadersOn>(
              {{"rejected", RateHeadersOn::kRejected}, {"all", RateHeadersOn::kAll}}),
          {.name = "headers_on",
           .documentation = "Which responses carry them. Those over the limit carry `Retry-After` "
                            "in any case.",
           .example = "all"});
}

}  // namespace

TypePtr<RateLimit> rate_limit_keys() {
  auto type = object<RateLimit>("rate limit");
  type->key<&RateLimit::name>(text(kNameRule),
                              {.name = "name",
                               .documentation = "Unique name; routes refer to it, and clients, "
                                                "logs and metrics show it.",
                               .example = "per-client",
                               .required = true})
      .key<&RateLimit::mode>(
          mode(), {.name = "mode", .documentation = kModeDocumentation, .example = "shadow"});
  add_counting(*type);
  add_scope(*type);
  add_answers(*type);
  type->key<&RateLimit::keys_max>(
          number<uint64_t>({1000, 100'000'000}),
          {.name = "keys_max",
           .documentation = "Keys that are told apart at once; further ones share one count. 16 to "
                            "32 bytes each, taken as they come.",
           .example = "100000"})
      .check(check_rate_limit);
  return type;
}

TypePtr<Store> store_keys() {
  auto type = object<Store>("store");
  type->key<&Store::name>(text(kNameRule),
                          {.name = "name",
                           .documentation = "Unique name; rate limits refer to it.",
                           .example = "shared",
                           .required = true})
      .key<&Store::url>(std::make_unique<StoreUrlType>(),
                        {.name = "url",
                         .documentation = "Where the Redis or Valkey server is.",
                         .example = "redis://127.0.0.1:6379/0",
                         .required = true})
      .key<&Store::username>(text(kTextRule), {.name = "username",
                                               .documentation = "Its user; else the default one.",
                                               .example = "gateway"})
      .key<&Store::password>(std::make_unique<SecretType>(), {.name = "password",
                                                              .documentation = "Of that user.",
                                                              .example = "file:/run/secrets/redis",
                                                              .alternative = true})
      .key<&Store::tls>(upstream_tls(),
                        {.name = "tls",
                         .documentation = "How to speak to it over TLS: the keys of an upstream's "
                                          "`tls`. `off`: without.",
                         .example = "{ca: /etc/ssl/own-ca.pem}"})
      .key<&Store::prefix>(text(kNameRule),
                           {.name = "prefix",
                            .documentation = "What the names of our keys in it begin with. Nodes "
                                             "that have it in common count together.",
                            .example = "gw-east"})
      .key<&Store::timeout>(duration(milliseconds(1), seconds(10)),
                            {.name = "timeout",
                             .documentation = "How long a request waits for it at most.",
                             .example = "50ms"})
      .key<&Store::sync_interval>(duration(milliseconds(10), seconds(10)),
                                  {.name = "sync_interval",
                                   .documentation = "How often counts are exchanged.",
                                   .example = "200ms"})
      .key<&Store::connect_timeout>(duration(milliseconds(10), minutes(1)),
                                    {.name = "connect_timeout",
                                     .documentation = "For a connection to be ready for use.",
                                     .example = "2s"});
  return type;
}

}  // namespace hangu::config
