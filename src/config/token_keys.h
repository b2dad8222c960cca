// Keys that all have in common who deal with tokens that an issuer signs: which signatures count,
// how its keys are kept fresh, what its claims say. `Path` leads from T to a JwtAuth.
#pragma once

#include "hangu/config/config.h"

#include "config/keys.h"

namespace hangu::config {

TypePtr<std::vector<ClaimHeader>> claim_headers();

template <auto... Path, class T>
void add_algorithms(ObjectType<T>& type) {
  type.template key<Path..., &JwtAuth::algorithms>(
      list<JwtAlgorithm>(
          choice<JwtAlgorithm>({identity::kJwtAlgorithms.begin(), identity::kJwtAlgorithms.end()}),
          {.name = "list of algorithms", .example = "[ES256]", .at_least_one = true}),
      {.name = "algorithms",
       .documentation = "Signatures that are accepted, each only by keys of its kind.",
       .example = "[ES256]"});
}

template <auto... Path, class T>
void add_key_fetching(ObjectType<T>& type) {
  using std::chrono::hours;
  using std::chrono::milliseconds;
  using std::chrono::minutes;
  using std::chrono::seconds;
  type.template key<Path..., &JwtAuth::refresh>(
          duration(seconds(1), hours(24)),
          {.name = "refresh",
           .documentation = "How often keys are fetched, unless `Cache-Control` says otherwise.",
           .example = "1h"})
      .template key<Path..., &JwtAuth::refetch_cooldown>(
          duration(milliseconds(100), hours(1)),
          {.name = "refetch_cooldown",
           .documentation = "A token that names an unknown key has them fetched at once, for all "
                            "that wait together, but not again within this time.",
           .example = "1m"})
      .template key<Path..., &JwtAuth::stale>(
          duration(Duration::zero(), hours(24 * 30)),
          {.name = "stale",
           .documentation = "How long keys serve that cannot be fetched anew; then 503.",
           .example = "1h"})
      .template key<Path..., &JwtAuth::fetch_timeout>(
          duration(milliseconds(10), minutes(1)),
          {.name = "fetch_timeout", .documentation = "For one attempt.", .example = "2s"});
}

template <auto... Path, class T>
void add_clock_skew(ObjectType<T>& type) {
  type.template key<Path..., &JwtAuth::clock_skew>(
      duration(Duration::zero(), std::chrono::minutes(10)),
      {.name = "clock_skew",
       .documentation = "By how much the clocks of issuer and gateway may differ.",
       .example = "10s"});
}

template <auto... Path, class T>
void add_consumer_claim(ObjectType<T>& type) {
  type.template key<Path..., &JwtAuth::consumer_claim>(
      text(kTextRule), {.name = "consumer_claim",
                        .documentation = "The claim that names the consumer. It need not be one of "
                                         "`consumers`.",
                        .example = "client_id"});
}

template <auto... Path, class T>
void add_groups_claim(ObjectType<T>& type) {
  type.template key<Path..., &JwtAuth::groups_claim>(
      text(kTextRule), {.name = "groups_claim",
                        .documentation = "The same for groups: a list, or words; `a.b` is member "
                                         "`b` of the object `a`.",
                        .example = "realm_access.roles"});
}

template <auto... Path, class T>
void add_claim_headers(ObjectType<T>& type) {
  type.template key<Path..., &JwtAuth::claim_headers>(
      claim_headers(), {.name = "claim_headers",
                        .documentation = "Claims that the upstream gets in header fields. From "
                                         "clients these fields are taken.",
                        .example = "[{claim: sub, header: x-user}]"});
}

}  // namespace hangu::config
