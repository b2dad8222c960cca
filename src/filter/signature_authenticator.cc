#include "hangu/filter/signature_authenticator.h"

#include <algorithm>
#include <array>
#include <span>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "hangu/base/base64.h"
#include "hangu/base/parse.h"
#include "hangu/filter/credentials.h"
#include "hangu/filter/principal.h"
#include "hangu/filter/stream.h"
#include "hangu/filter/wanted_digest.h"
#include "hangu/http/date.h"
#include "hangu/identity/digest.h"

namespace hangu::filter {
namespace {

using config::SignatureProfile;
using identity::SignatureInput;
using Kind = AuthOutcome::Kind;

constexpr size_t kNamesMax = SignatureInput::kComponentsMax;
constexpr size_t kKeyIdBytesMax = 256;
constexpr uint32_t kFullRetryS = 5;
constexpr uint32_t kStoreRetryS = 1;
constexpr std::string_view kContentDigest = "content-digest";

// What a client is told, so that it can mend its requests. Whether there is a key of that name,
// whether it is still good or the signature wrong is one and the same for it.
constexpr std::array<std::string_view, 9> kToldReasons = {
    "malformed", "algorithm", "not_covered", "expired",  "not_yet_valid",
    "nonce",     "replayed",  "digest",      "signature"};

AuthOutcome refused(std::string_view reason) {
  return {.kind = Kind::kRefused, .reason = reason};
}

std::string_view profile_name(SignatureProfile profile) {
  switch (profile) {
    case SignatureProfile::kRfc9421: return "rfc9421";
    case SignatureProfile::kHmac: return "hmac";
    case SignatureProfile::kApisix: return "apisix";
    case SignatureProfile::kTemplate: return "template";
  }
  return "";
}

bool came_as_https(const Stream& stream) {
  // The gateway's own, or that of a peer it trusts.
  return stream.request.headers.value(http::HeaderName::kXForwardedProto) == "https";
}

/// What signatures are made over is put together here, so that a request allocates next to nothing.
struct Scratch {
  std::string base;
  std::string input;
  std::string signature;
  std::string digest;
  std::string replay;
};

Scratch& scratch() {
  thread_local Scratch room;
  return room;
}

}  // namespace

/// A signature as it was found. Views lie in the request or in the scratch room.
struct SignatureAuthenticator::Shown {
  const SigningKeyEntry* key = nullptr;
  std::string_view key_id;
  std::string_view algorithm;  // empty: none is named
  std::string_view nonce;
  std::string_view digest;      // of the body, as its field says; empty: none
  bool digest_is_bare = false;  // in a field of the scheme's
  bool digest_is_legacy = false;
  std::optional<int64_t> time;  // when it was made
  std::optional<int64_t> expires;
  std::string signature;
  std::array<std::string_view, kNamesMax> names;
  size_t name_count = 0;
  std::string* base = nullptr;  // what is signed

  bool add_name(std::string_view name) {
    if (name_count == names.size()) {
      return false;
    }
    names[name_count++] = name;
    return true;
  }

  bool has_name(std::string_view name) const {
    return std::find(names.begin(), names.begin() + static_cast<ptrdiff_t>(name_count), name) !=
           names.begin() + static_cast<ptrdiff_t>(name_count);
  }

  bool decode(std::string_view base64) {
    std::optional<std::string> decoded = decode_base64(base64);
    const bool good = decoded && !decoded->empty() &&
                      decoded->size() <= identity::SignatureKey::kSignatureBytesMax;
    signature = good ? std::move(*decoded) : std::string();
    return good;
  }

  /// Hexadecimal digits of a MAC, else base64: 32 bytes are 64 digits, or 44 characters.
  bool decode_any(std::string_view text) {
    const size_t mac_bytes =
        key->config->algorithm == config::SignatureAlgorithm::kHmacSha512 ? size_t{64} : size_t{32};
    if (!identity::uses_secret(key->config->algorithm) || text.size() != 2 * mac_bytes) {
      return decode(text);
    }
    signature.clear();
    for (size_t i = 0; i < mac_bytes; ++i) {
      const int high = hex_digit_value(text[2 * i]);
      const int low = hex_digit_value(text[2 * i + 1]);
      if (high < 0 || low < 0) {
        return false;
      }
      signature.push_back(static_cast<char>(high << 4 | low));
    }
    return true;
  }

  void find_digest(const http::RequestHead& request) {
    for (const std::string_view name : {kContentDigest, std::string_view("digest")}) {
      if (has_name(name)) {
        digest = combined_field(request, name, scratch().digest).value_or("");
        digest_is_legacy = name != kContentDigest;
        return;
      }
    }
  }
};

/// A request whose signature is good, while the store is asked whether it came to another node. In
/// the stream's arena.
struct SignatureAuthenticator::ClaimWait final : ClaimStore::Asker {
  ClaimWait(const SignatureAuthenticator& who, const AuthAsker& whom, const SigningKeyEntry& with,
            policy::ReplayTable::Outcome known_here)
      : authenticator(who),
        asker(whom),
        key(with),
        here(known_here) {}

  void on_claim_answer(Stream& stream, ClaimStore::Answer answer) const noexcept override {
    asker.on_auth_answer(stream, authenticator.hear_claim(stream, *this, answer));
  }

  const SignatureAuthenticator& authenticator;
  const AuthAsker& asker;
  const SigningKeyEntry& key;
  policy::ReplayTable::Outcome here;  // what this node has said
};

SignatureAuthenticator::SignatureAuthenticator(const config::Authenticator& config, Parts parts)
    : name_(config.name),
      config_(config.signature),
      clock_skew_s_(std::chrono::duration_cast<std::chrono::seconds>(config_.clock_skew).count()),
      parts_(std::move(parts)) {
  if (auto parsed = config::SigningTemplate::parse(config_.scheme.canonical)) {
    template_ = std::move(*parsed);  // the loader has refused any other
  }
  std::string text =
      fmt::format("Signature realm=\"hangu\", profile=\"{}\"", profile_name(config_.profile));
  if (config_.profile != SignatureProfile::kTemplate) {
    text += fmt::format(", covered=\"{}\"", fmt::join(config_.covered, " "));
  }
  challenges_.emplace_back("", text);
  for (const std::string_view reason : kToldReasons) {
    challenges_.emplace_back(reason, fmt::format("{}, error=\"{}\"", text, reason));
  }
}

std::string_view SignatureAuthenticator::challenge(const AuthOutcome& outcome) const noexcept {
  if (outcome.kind != Kind::kRefused) {
    return challenges_.front().second;
  }
  for (const auto& [reason, text] : challenges_) {
    if (reason == outcome.reason) {
      return text;
    }
  }
  return challenges_.back().second;
}

AuthOutcome SignatureAuthenticator::authenticate(Stream& stream,
                                                 const AuthAsker& asker) const noexcept {
  const SignedMessage message{.request = stream.request, .secure = came_as_https(stream)};
  Shown shown;
  shown.base = &scratch().base;
  shown.base->clear();
  const AuthOutcome found = read(message, shown);
  if (found.kind != Kind::kProved) {
    return found;
  }
  const int64_t now_s = unix_seconds(stream);
  for (const std::string_view fault :
       {fault_of_key(shown, now_s), fault_of_time(shown, now_s), fault_of_coverage(shown)}) {
    if (!fault.empty()) {
      return refused(fault);
    }
  }
  if (!shown.key->key.verify(*shown.base, shown.signature)) {
    return refused("signature");
  }
  if (const std::string_view fault = want_digest(stream, shown); !fault.empty()) {
    return refused(fault);
  }
  const AuthOutcome outcome = remember(stream, asker, shown, now_s);
  if (outcome.kind != Kind::kProved && outcome.kind != Kind::kWaiting) {
    stream.kept.wanted_digest = nullptr;
  }
  return outcome;
}

/// kProved: all of `shown` is filled in, and nothing of it is verified.
AuthOutcome SignatureAuthenticator::read(const SignedMessage& message, Shown& shown) const {
  switch (config_.profile) {
    case SignatureProfile::kRfc9421: return read_rfc9421(message, shown);
    case SignatureProfile::kHmac:
    case SignatureProfile::kApisix: return read_draft(message, shown);
    case SignatureProfile::kTemplate: return read_template(message, shown);
  }
  return {};
}

/// Of several signatures the first by a key that is known: others may be for somebody else.
AuthOutcome SignatureAuthenticator::read_rfc9421(const SignedMessage& message, Shown& shown) const {
  Scratch& room = scratch();
  const auto input_text = combined_field(message.request, "signature-input", room.input);
  const auto signatures = combined_field(message.request, "signature", room.signature);
  if (!input_text && !signatures) {
    return {};
  }
  const auto inputs = input_text ? identity::parse_signature_inputs(*input_text) : std::nullopt;
  if (!inputs || !signatures) {
    return refused("malformed");
  }
  const SignatureInput* chosen = nullptr;
  bool any = false;
  for (const SignatureInput& input : inputs->all()) {
    if (!config_.tag.empty() && input.tag != config_.tag) {
      continue;
    }
    any = true;
    shown.key = input.key_id.size() <= kKeyIdBytesMax
                    ? parts_.consumers->find_signing_key(input.key_id)
                    : nullptr;
    if (shown.key != nullptr) {
      chosen = &input;
      break;
    }
  }
  if (chosen == nullptr) {
    return any ? refused("unknown_key") : AuthOutcome{};
  }
  const auto base64 = identity::find_bytes(*signatures, chosen->label);
  if (!base64 || !shown.decode(*base64)) {
    return refused("malformed");
  }
  shown.key_id = chosen->key_id;
  shown.algorithm = chosen->algorithm;
  shown.nonce = chosen->nonce;
  shown.time = chosen->created;
  shown.expires = chosen->expires;
  for (const identity::SignedComponent& component : chosen->components()) {
    static_cast<void>(shown.add_name(component.name));  // there are no more than fit
  }
  if (!write_signature_base(message, *chosen, *shown.base)) {
    return refused("malformed");
  }
  shown.find_digest(message.request);
  return {.kind = Kind::kProved};
}

AuthOutcome SignatureAuthenticator::read_draft(const SignedMessage& message, Shown& shown) const {
  std::optional<std::string_view> text = authorization(message.request.headers, "Signature");
  text = text ? text : authorization(message.request.headers, "hmac");
  if (!text) {
    return {};
  }
  const auto credentials = identity::parse_signature_credentials(*text);
  if (!credentials) {
    return refused("malformed");
  }
  shown.key = credentials->key_id.size() <= kKeyIdBytesMax
                  ? parts_.consumers->find_signing_key(credentials->key_id)
                  : nullptr;
  if (shown.key == nullptr) {
    return refused("unknown_key");
  }
  shown.key_id = credentials->key_id;
  // "hs2019" leaves it to the key.
  shown.algorithm = credentials->algorithm == "hs2019" ? "" : credentials->algorithm;
  shown.expires = credentials->expires;
  for (std::string_view rest = credentials->headers; !rest.empty();) {
    const size_t end = std::min(rest.find(' '), rest.size());
    const std::string_view name = rest.substr(0, end);
    const bool target = name == "@request-target" || name == "request-line";
    if (!shown.add_name(target ? "(request-target)" : name)) {
      return refused("malformed");
    }
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  // Expiry that is not signed is nobody's word.
  if (shown.expires && !shown.has_name("(expires)")) {
    return refused("not_covered");
  }
  if (shown.has_name("(created)")) {
    shown.time = credentials->created;
  } else {
    for (const std::string_view name : {"x-date", "date"}) {
      const auto* const field = shown.has_name(name) ? message.request.headers.find(name) : nullptr;
      if (field != nullptr && !shown.time) {
        shown.time = http::parse_date(field->value());
        if (!shown.time) {
          return refused("malformed");
        }
      }
    }
  }
  if (!shown.decode(credentials->signature) ||
      !write_signing_string(message, *credentials, config_.profile, *shown.base)) {
    return refused("malformed");
  }
  shown.find_digest(message.request);
  return {.kind = Kind::kProved};
}

AuthOutcome SignatureAuthenticator::read_template(const SignedMessage& message,
                                                  Shown& shown) const {
  const config::SigningScheme& scheme = config_.scheme;
  const http::HeaderBlock& headers = message.request.headers;
  const http::Header* const signature = headers.find(scheme.signature_header);
  const http::Header* const key_id = headers.find(scheme.key_header);
  if (signature == nullptr && key_id == nullptr) {
    return {};
  }
  const http::Header* const timestamp = headers.find(scheme.timestamp_header);
  if (signature == nullptr || key_id == nullptr || timestamp == nullptr) {
    return refused("malformed");
  }
  shown.key = key_id->value_size <= kKeyIdBytesMax
                  ? parts_.consumers->find_signing_key(key_id->value())
                  : nullptr;
  if (shown.key == nullptr) {
    return refused("unknown_key");
  }
  const auto value_of = [&](const std::string& name) {
    const http::Header* const field = name.empty() ? nullptr : headers.find(name);
    return field != nullptr ? field->value() : std::string_view{};
  };
  constexpr uint64_t kTimeMax = 999'999'999'999'999;
  const auto time = parse_decimal(timestamp->value(), kTimeMax);
  if (!time || !shown.decode_any(signature->value())) {
    return refused("malformed");
  }
  constexpr int64_t kMilliseconds = 1000;
  const bool whole = scheme.timestamp == config::TimestampForm::kSeconds;
  shown.time = static_cast<int64_t>(*time) / (whole ? 1 : kMilliseconds);
  shown.key_id = key_id->value();
  shown.nonce = value_of(scheme.nonce_header);
  shown.digest = value_of(scheme.digest_header);
  shown.digest_is_bare = true;
  static_cast<void>(write_canonical(message, template_,
                                    {.key_id = shown.key_id,
                                     .timestamp = timestamp->value(),
                                     .nonce = shown.nonce,
                                     .body_digest = shown.digest},
                                    *shown.base));
  return {.kind = Kind::kProved};
}

std::string_view SignatureAuthenticator::fault_of_key(const Shown& shown,
                                                      int64_t now_s) const noexcept {
  const config::SigningKey& key = *shown.key->config;
  const auto& allowed = config_.algorithms;
  if (std::find(allowed.begin(), allowed.end(), key.algorithm) == allowed.end() ||
      (!shown.algorithm.empty() && shown.algorithm != identity::to_string(key.algorithm))) {
    return "algorithm";
  }
  return key.expires_s != 0 && now_s >= key.expires_s ? "unknown_key" : "";
}

std::string_view SignatureAuthenticator::fault_of_time(const Shown& shown,
                                                       int64_t now_s) const noexcept {
  if (!shown.time) {
    return "not_covered";
  }
  if (*shown.time > now_s + clock_skew_s_) {
    return "not_yet_valid";
  }
  const bool over = shown.expires && *shown.expires <= now_s;
  return over || *shown.time < now_s - clock_skew_s_ ? "expired" : "";
}

std::string_view SignatureAuthenticator::fault_of_coverage(const Shown& shown) const noexcept {
  if (config_.replay == config::ReplayKey::kNonce && shown.nonce.empty()) {
    return "nonce";
  }
  if (config_.profile == SignatureProfile::kTemplate) {
    return "";  // what it covers is the config's business
  }
  const std::span<const std::string_view> names(shown.names.data(), shown.name_count);
  const bool all = std::all_of(config_.covered.begin(), config_.covered.end(),
                               [&](const std::string& wanted) { return covers(names, wanted); });
  return all ? "" : "not_covered";
}

/// Leaves in the stream what its body has to be.
std::string_view SignatureAuthenticator::want_digest(Stream& stream, const Shown& shown) const {
  if (!config_.body_digest) {
    return "";
  }
  if (shown.digest.empty()) {
    return stream.has_body() ? "not_covered" : "";
  }
  const auto digest = shown.digest_is_bare ? identity::parse_bare_digest(
                                                 identity::BodyDigestKind::kSha256, shown.digest)
                      : shown.digest_is_legacy ? identity::parse_legacy_digest(shown.digest)
                                               : identity::parse_content_digest(shown.digest);
  if (!digest) {
    return "digest";
  }
  stream.kept.wanted_digest = std::construct_at(
      reinterpret_cast<WantedDigest*>(
          stream.arena().allocate(sizeof(WantedDigest), alignof(WantedDigest))),
      WantedDigest{.digest = *digest, .body_bytes_max = config_.body_bytes_max, .by = this});
  return "";
}

/// Proved, unless what was signed came before.
AuthOutcome SignatureAuthenticator::remember(Stream& stream, const AuthAsker& asker,
                                             const Shown& shown, int64_t now_s) const {
  if (parts_.memory == nullptr) {
    return proved(stream, *shown.key);
  }
  identity::Digest digest{};
  if (!digest_once(fmt::format_int(parts_.memory->seed).c_str(), shown, digest)) {
    return {.kind = Kind::kUnavailable, .reason = "other", .retry_after_s = kFullRetryS};
  }
  const auto word = [&](size_t at) {
    uint64_t value = 0;
    for (size_t i = 0; i < sizeof value; ++i) {
      value = value << 8 | digest[at + i];
    }
    return value;
  };
  // Beyond that time it is too old anyway.
  const auto here = parts_.memory->table.use(word(0), word(8), *shown.time + clock_skew_s_, now_s);
  if (here == policy::ReplayTable::Outcome::kReplay) {
    return refused("replayed");
  }
  return parts_.store != nullptr ? claim(stream, asker, shown, here, now_s)
                                 : without_store(stream, *shown.key, here);
}

/// Not the signature itself: of some algorithms there are several for one text.
bool SignatureAuthenticator::digest_once(std::string_view salt, const Shown& shown,
                                         identity::Digest& digest) const {
  std::string& text = scratch().replay;
  text.assign(salt).append("\n").append(shown.key_id).append("\n");
  text.append(config_.replay == config::ReplayKey::kNonce ? shown.nonce
                                                          : std::string_view(*shown.base));
  return identity::compute_digest(identity::DigestKind::kSha256, text, digest);
}

/// Whether it came to another node the store has to say: for as long as the time in it is good.
AuthOutcome SignatureAuthenticator::claim(Stream& stream, const AuthAsker& asker,
                                          const Shown& shown, policy::ReplayTable::Outcome here,
                                          int64_t now_s) const {
  identity::Digest digest{};
  ClaimStore::Key key{};
  if (digest_once(name_, shown, digest)) {
    std::copy_n(digest.begin(), key.size(), key.begin());
    const auto* const wait = std::construct_at(reinterpret_cast<ClaimWait*>(stream.arena().allocate(
                                                   sizeof(ClaimWait), alignof(ClaimWait))),
                                               *this, asker, *shown.key, here);
    // Beyond that time it is too old, also by the clock of a node that is late.
    const std::chrono::seconds length(*shown.time + 2 * clock_skew_s_ + 1 - now_s);
    if (parts_.store->claim(stream, *wait, key, length)) {
      return {.kind = Kind::kWaiting};
    }
  }
  return without_store(stream, *shown.key, here);
}

AuthOutcome SignatureAuthenticator::hear_claim(Stream& stream, const ClaimWait& wait,
                                               ClaimStore::Answer answer) const noexcept {
  AuthOutcome outcome = refused("replayed");
  if (answer == ClaimStore::Answer::kFirst) {
    outcome = proved(stream, wait.key);
  } else if (answer == ClaimStore::Answer::kUnknown) {
    outcome = without_store(stream, wait.key, wait.here);
  }
  if (outcome.kind != Kind::kProved) {
    stream.kept.wanted_digest = nullptr;
  }
  return outcome;
}

/// By what this node knows: all there is, or all that can be had now.
AuthOutcome SignatureAuthenticator::without_store(
    Stream& stream, const SigningKeyEntry& key, policy::ReplayTable::Outcome here) const noexcept {
  using config::OnStoreError;
  const bool shared = parts_.store != nullptr;
  if (shared && config_.replay_on_store_error == OnStoreError::kDeny) {
    return {.kind = Kind::kUnavailable, .reason = "replay_store", .retry_after_s = kStoreRetryS};
  }
  const bool allows = shared && config_.replay_on_store_error == OnStoreError::kAllow;
  if (here == policy::ReplayTable::Outcome::kFull && !allows) {
    return {.kind = Kind::kUnavailable, .reason = "replay_full", .retry_after_s = kFullRetryS};
  }
  return proved(stream, key);
}

AuthOutcome SignatureAuthenticator::proved(Stream& stream,
                                           const SigningKeyEntry& key) const noexcept {
  Principal& principal = make_principal(stream);
  take_consumer(principal, *key.consumer);
  principal.method = "signature";
  principal.credential = key.config->id;
  principal.scopes = key.scopes;
  return {.kind = Kind::kProved, .principal = &principal};
}

void SignatureAuthenticator::strip(Stream& stream) const noexcept {
  http::HeaderBlock& headers = stream.request.headers;
  switch (config_.profile) {
    case SignatureProfile::kRfc9421:
      headers.remove("signature-input");
      headers.remove("signature");
      break;
    case SignatureProfile::kHmac:
    case SignatureProfile::kApisix:
      strip_authorization(stream, "Signature");
      strip_authorization(stream, "hmac");
      break;
    case SignatureProfile::kTemplate:
      headers.remove(config_.scheme.signature_header);
      headers.remove(config_.scheme.key_header);
      break;
  }
}

}  // namespace hangu::filter
