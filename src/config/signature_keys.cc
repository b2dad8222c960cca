// The keys of signed requests. See schema.cc.
#include "config/signature_keys.h"

#include "config/identity_checks.h"
#include "config/keys.h"
#include "config/secret_type.h"
#include "config/signature_checks.h"

namespace hangu::config {
namespace {

TypePtr<SignatureAlgorithm> algorithm() {
  return choice<SignatureAlgorithm>(
      {identity::kSignatureAlgorithms.begin(), identity::kSignatureAlgorithms.end()});
}

void add_scheme(ObjectType<SignatureAuth>& type) {
  type.key<&SignatureAuth::scheme, &SigningScheme::canonical>(
          text(kCanonicalRule),
          {.name = "canonical",
           .documentation = "With `profile: template`, what is signed: `{method}`, `{path}`, "
                            "`{query}`, `{query.sorted}`, `{host}`, `{header.NAME}`, `{key_id}`, "
                            "`{timestamp}`, `{nonce}`, `{body_digest}`, and text between them.",
           .example = "\"{method}\\n{path}\\n{query}\\n{timestamp}\"",
           .alternative = true})
      .key<&SignatureAuth::scheme, &SigningScheme::signature_header>(
          text(kHeaderNameRule),
          {.name = "signature_header",
           .documentation = "The same: the field with the signature, in base64 or, if it is a "
                            "MAC, in hexadecimal digits.",
           .example = "x-sign"})
      .key<&SignatureAuth::scheme, &SigningScheme::key_header>(
          text(kHeaderNameRule), {.name = "key_header",
                                  .documentation = "The same: with the id of the key.",
                                  .example = "x-app-id"})
      .key<&SignatureAuth::scheme, &SigningScheme::timestamp_header>(
          text(kHeaderNameRule), {.name = "timestamp_header",
                                  .documentation = "The same: with the time, since 1970.",
                                  .example = "x-time"})
      .key<&SignatureAuth::scheme, &SigningScheme::timestamp>(
          choice<TimestampForm>({{"seconds", TimestampForm::kSeconds},
                                 {"milliseconds", TimestampForm::kMilliseconds}}),
          {.name = "timestamp",
           .documentation = "The same: in what it counts.",
           .example = "milliseconds"})
      .key<&SignatureAuth::scheme, &SigningScheme::nonce_header>(
          text(kHeaderNameRule, {.empty_word = "none"}),
          {.name = "nonce_header",
           .documentation = "The same: with what is used once.",
           .example = "x-nonce",
           .alternative = true})
      .key<&SignatureAuth::scheme, &SigningScheme::digest_header>(
          text(kHeaderNameRule, {.empty_word = "none"}),
          {.name = "digest_header",
           .documentation = "The same: with the SHA-256 of the body, hexadecimal or in base64.",
           .example = "x-content-sha256",
           .alternative = true});
}

void add_freshness(ObjectType<SignatureAuth>& type) {
  type.key<&SignatureAuth::clock_skew>(
          duration(seconds(1), hours(1)),
          {.name = "clock_skew",
           .documentation = "By how much the time that was signed may differ from the gateway's.",
           .example = "1m"})
      .key<&SignatureAuth::replay>(
          choice<ReplayKey>({{"request", ReplayKey::kRequest},
                             {"nonce", ReplayKey::kNonce},
                             {"off", ReplayKey::kOff}}),
          {.name = "replay",
           .documentation =
               "What must not come twice: what was signed, or the nonce of a key, which "
               "there has to be then. On this node, or on all that share "
               "`replay_store`.",
           .example = "nonce"})
      .key<&SignatureAuth::replay_entries>(
          number<uint64_t>({1024, uint64_t{1} << 28}),
          {.name = "replay_entries",
           .documentation = "How many are remembered: those of twice `clock_skew`. 8 bytes each. "
                            "When there is no room: 503, since forgetting would let them in again.",
           .example = "16777216"})
      .key<&SignatureAuth::replay_store>(
          std::make_unique<StoreRefType>("store", "stores"),
          {.name = "replay_store",
           .documentation = "One of `stores`: what came to one node must not come to another one "
                            "either. A request waits for its answer, at most the store's "
                            "`timeout`.",
           .example = "shared",
           .alternative = true})
      .key<&SignatureAuth::replay_on_store_error>(
          choice<OnStoreError>({{"local", OnStoreError::kLocal},
                                {"allow", OnStoreError::kAllow},
                                {"deny", OnStoreError::kDeny}}),
          {.name = "replay_on_store_error",
           .documentation =
               "When the store does not answer: this node knows what came to it, and "
               "decides by that; the same, but what it has no room to remember passes; "
               "or 503.",
           .example = "deny"})
      .key<&SignatureAuth::body_digest>(
          on_off(),
          {.name = "body_digest",
           .documentation = "A body needs a digest that is signed (`Content-Digest`, `Digest`, or "
                            "`digest_header`), and goes on only if it is that one: it is held back "
                            "until then.",
           .example = "on"})
      .key<&SignatureAuth::body_bytes_max>(
          size<uint64_t>({1, 64 * kMiB}),
          {.name = "body_max",
           .documentation = "Largest body that is held back; then 413.",
           .example = "64KiB"});
}

}  // namespace

TypePtr<SigningKey> signing_key_keys() {
  auto type = object<SigningKey>("signing key");
  type->key<&SigningKey::id>(text(kKeyIdRule),
                             {.name = "id",
                              .documentation = "Its name in requests (`keyid`); of all consumers' "
                                               "keys only this one has it.",
                              .example = "app-1-2026",
                              .required = true})
      .key<&SigningKey::algorithm>(algorithm(),
                                   {.name = "algorithm",
                                    .documentation = "How it signs; a request cannot choose.",
                                    .example = "ed25519"})
      .key<&SigningKey::secret>(std::make_unique<SecretType>(),
                                {.name = "secret",
                                 .documentation = "For `hmac-…`: at least 32 bytes.",
                                 .example = "file:/run/secrets/app-1",
                                 .alternative = true})
      .key<&SigningKey::public_key>(std::make_unique<PublicKeyFileType>(),
                                    {.name = "public_key",
                                     .documentation = "For the others: a PEM file, read with the "
                                                      "config.",
                                     .example = "/etc/hangu/app-1.pem",
                                     .alternative = true})
      .key<&SigningKey::expires_s>(std::make_unique<TimeType>(),
                                   {.name = "expires",
                                    .documentation = "Refused from then on (UTC).",
                                    .example = "2027-01-31T00:00:00Z"})
      .key<&SigningKey::scopes>(
          list(text(kTextRule),
               {.name = "list of scopes", .example = "[read]", .warn_repeated = true}),
          {.name = "scopes",
           .documentation = "What this key is good for, beside the consumer's.",
           .example = "[read]"})
      .check(check_signing_key);
  return type;
}

TypePtr<SignatureAuth> signature_auth_keys() {
  auto type = switched<SignatureAuth>("{profile: rfc9421}");
  ObjectType<SignatureAuth>& mapping = type->mapping();
  mapping
      .key<&SignatureAuth::profile>(
          choice<SignatureProfile>({{"rfc9421", SignatureProfile::kRfc9421},
                                    {"hmac", SignatureProfile::kHmac},
                                    {"apisix", SignatureProfile::kApisix},
                                    {"template", SignatureProfile::kTemplate}}),
          {.name = "profile",
           .documentation = "`rfc9421`: `Signature-Input` and `Signature`. `hmac`: "
                            "`Authorization: Signature keyId=…` of the draft before it; `apisix`: "
                            "the same, signing what APISIX signs. `template`: as the keys below "
                            "say.",
           .example = "hmac"})
      .key<&SignatureAuth::algorithms>(
          list<SignatureAlgorithm>(
              algorithm(),
              {.name = "list of algorithms", .example = "[ed25519]", .at_least_one = true}),
          {.name = "algorithms",
           .documentation = "Of the keys that may sign.",
           .example = "[ed25519]"})
      .key<&SignatureAuth::covered>(
          list(text(kComponentRule), {.name = "list of components",
                                      .example = "[\"@method\", \"@target-uri\"]",
                                      .warn_repeated = true}),
          {.name = "covered",
           .documentation = "What a signature has to cover at least, beside the time: "
                            "`@target-uri` covers `@authority`, `@path` and `@query` as well. Not "
                            "of `profile: template`, which covers what its text has.",
           .example = "[\"@method\", \"@target-uri\"]"})
      .key<&SignatureAuth::tag>(text(kKeyIdRule, {.empty_word = "any"}),
                                {.name = "tag",
                                 .documentation = "Of `rfc9421`: only signatures with this `tag`.",
                                 .example = "hangu"});
  add_freshness(mapping);
  add_scheme(mapping);
  mapping.check(check_signature_auth);
  return type;
}

}  // namespace hangu::config
