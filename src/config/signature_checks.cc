#include "config/signature_checks.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "hangu/base/letter_case.h"
#include "hangu/config/signing_template.h"
#include "hangu/identity/signature_key.h"

#include "config/checks.h"
#include "config/file_path.h"
#include "config/scalar_types.h"
#include "config/text.h"

namespace hangu::config {
namespace {

constexpr size_t kKeyIdBytesMax = 256;
constexpr size_t kPemBytesMax = 64UL * 1024;
constexpr size_t kSecretBytesMin = 32;

constexpr std::array<std::string_view, 7> kDerivedNames = {
    "@method", "@target-uri", "@authority", "@scheme", "@request-target", "@path", "@query"};

std::optional<Problem> apply_key_id(std::string& text) {
  const bool good = !text.empty() && text.size() <= kKeyIdBytesMax &&
                    std::all_of(text.begin(), text.end(), [](char c) {
                      return c >= ' ' && c <= '~' && c != '"' && c != '\\';
                    });
  return good ? std::nullopt
              : std::optional(Problem{
                    "E0122", "a key's id is of ASCII without quotes, at most 256 bytes", ""});
}

std::optional<Problem> apply_component(std::string& text) {
  if (text.starts_with('@')) {
    const bool known =
        std::find(kDerivedNames.begin(), kDerivedNames.end(), text) != kDerivedNames.end();
    return known ? std::nullopt
                 : std::optional(Problem{
                       "E0122", fmt::format("{} is nothing that a signature covers", quoted(text)),
                       "@method, @target-uri, @authority, @scheme, "
                       "@request-target, @path, @query or a field's name"});
  }
  text = lower_case(text);
  return check_header_name(text);
}

std::optional<Problem> apply_canonical(std::string& text) {
  const auto parsed = SigningTemplate::parse(text);
  return parsed ? std::nullopt : std::optional(Problem{"E0122", parsed.error(), ""});
}

void check_scheme(Reader& reader, const Node& node, const SignatureAuth& auth) {
  const auto parsed = SigningTemplate::parse(auth.scheme.canonical);
  if (!parsed) {
    return;  // said already
  }
  const auto needs = [&](SignedPart part, std::string_view name, std::string_view why) {
    if (!parsed->has(part)) {
      reader.error(child(node, "canonical").mark,
                   {"E0136", fmt::format("`canonical` has no {{{}}}: {}", name, why), ""});
    }
  };
  needs(SignedPart::kMethod, "method", "a signature would be good for any method");
  needs(SignedPart::kPath, "path", "a signature would be good for any path");
  needs(SignedPart::kTimestamp, "timestamp", "a signature would be good for ever");
  if (!parsed->has(SignedPart::kSortedQuery)) {
    needs(SignedPart::kQuery, "query", "a signature would be good for any query");
  }
  const SigningScheme& scheme = auth.scheme;
  const bool nonce = parsed->has(SignedPart::kNonce);
  if (nonce == scheme.nonce_header.empty()) {
    reader.error(node.mark, {"E0136",
                             nonce ? "{nonce} needs a `nonce_header`"
                                   : "a nonce that is not in `canonical` is not signed",
                             ""});
  }
  const bool digest = parsed->has(SignedPart::kBodyDigest);
  if (digest && scheme.digest_header.empty()) {
    reader.error(node.mark, {"E0136", "{body_digest} needs a `digest_header`", ""});
  }
  if (auth.body_digest && !digest) {
    reader.error(child(node, "body_digest").mark,
                 {"E0136", "`body_digest` needs {body_digest} in `canonical`", ""});
  }
  if (auth.replay == ReplayKey::kNonce && !nonce) {
    reader.error(child(node, "replay").mark,
                 {"E0136", "`replay: nonce` needs {nonce} in `canonical`", ""});
  }
}

}  // namespace

const TextRule kKeyIdRule = {"key id", "app-1-2026", "ASCII without quotes; at most 256 bytes",
                             "^[ !#-\\[\\]-~]+$", &apply_key_id};
const TextRule kComponentRule = {"component", "@method", "",
                                 "^(@[a-z-]+|[!#-'*+.0-9A-Za-z^_`|~-]+)$", &apply_component};
const TextRule kCanonicalRule = {"template", "{method}\\n{path}\\n{query}\\n{timestamp}", "", "",
                                 &apply_canonical};

void PublicKeyFileType::read(Reader& reader, const Node& node, void* out) const {
  std::optional<std::string> path = read_absolute_path(reader, node, "E0135");
  if (!path) {
    return;
  }
  PublicKeyFile file;
  file.path = std::move(*path);
  std::optional<std::string> pem = reader.file_contents(node, file.path, kPemBytesMax);
  if (pem) {
    file.pem = std::move(*pem);
  }
  if (pem || reader.without_files()) {
    *static_cast<PublicKeyFile*>(out) = std::move(file);
  }
}

Value PublicKeyFileType::to_value(const Config& /*config*/, const void* value) const {
  const std::string& path = static_cast<const PublicKeyFile*>(value)->path;
  return path.empty() ? Value{} : Value::string(path);
}

void check_signing_key(Reader& reader, const Node& node, const SigningKey& key) {
  const bool by_secret = identity::uses_secret(key.algorithm);
  const std::string_view algorithm = identity::to_string(key.algorithm);
  if (by_secret != !key.secret.text.empty() || by_secret != key.public_key.path.empty()) {
    // What could not be read was said already.
    const std::string_view wanted = by_secret ? "secret" : "public_key";
    if (&child(node, wanted) == &node ||
        &child(node, by_secret ? "public_key" : "secret") != &node) {
      reader.error(
          node.mark,
          {"E0124", fmt::format("a key of {} has a `{}`, and nothing else", algorithm, wanted),
           ""});
    }
    return;
  }
  if (by_secret) {
    if (key.secret.text.size() < kSecretBytesMin) {
      reader.error(child(node, "secret").mark,
                   {"E0136", "a `secret` of less than 32 bytes can be guessed from one request",
                    "`openssl rand -hex 32` makes a good one"});
    }
    return;
  }
  if (reader.without_files()) {
    return;
  }
  const auto made = identity::SignatureKey::of_pem(key.algorithm, key.public_key.pem);
  if (!made) {
    reader.error(child(node, "public_key").mark,
                 {"E0136",
                  fmt::format("{} is of no use for {}: {}", quoted(key.public_key.path), algorithm,
                              made.error()),
                  ""});
  }
}

void check_signature_auth(Reader& reader, const Node& node, const SignatureAuth& auth) {
  const bool own = auth.profile == SignatureProfile::kTemplate;
  if (own == auth.scheme.canonical.empty()) {
    reader.error(node.mark, {"E0136",
                             own ? "`profile: template` needs a `canonical` text"
                                 : "`canonical` is of `profile: template` only",
                             ""});
    return;
  }
  if (own) {
    check_scheme(reader, node, auth);
  }
  const bool drafts =
      auth.profile == SignatureProfile::kHmac || auth.profile == SignatureProfile::kApisix;
  if (drafts && auth.replay == ReplayKey::kNonce) {
    reader.error(child(node, "replay").mark,
                 {"E0136", "these signatures have no nonce", "write `replay: request`"});
  }
  if (auth.replay == ReplayKey::kOff && node.find("replay_store") != nullptr) {
    reader.error(child(node, "replay_store").mark,
                 {"E0136", "with `replay: off` there is nothing to remember", ""});
  }
  if (auth.replay_on_store_error != OnStoreError::kLocal && node.find("replay_store") == nullptr) {
    reader.error(child(node, "replay_on_store_error").mark,
                 {"E0136", "there is no store that could fail", "add a `replay_store`"});
  }
  if (auth.profile != SignatureProfile::kRfc9421 && !auth.tag.empty()) {
    reader.error(child(node, "tag").mark, {"E0136", "a `tag` is of `profile: rfc9421` only", ""});
  }
}

}  // namespace hangu::config
