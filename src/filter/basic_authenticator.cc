#include "hangu/filter/basic_authenticator.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "hangu/base/base64.h"
#include "hangu/filter/credentials.h"
#include "hangu/filter/principal.h"
#include "hangu/filter/stream.h"

namespace hangu::filter {
namespace {

using Kind = AuthOutcome::Kind;

constexpr size_t kTokenBytesMax = 1024;
constexpr uint32_t kBusyRetryS = 1;

// What a user that does not exist is held against, so that nobody can tell by the time it takes.
// Right it is never, whatever is shown.
constexpr std::string_view kNobodysHash =
    "$argon2id$v=19$m=19456,t=2,p=1$c29tZSBzYWx0IG9mIDE2Yg$"
    "k1Yq0m4h6m3QyqJ0b8mYw3q0w9l6n2m5p7r8s1t2u3w";

uint32_t whole_seconds(Duration duration) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(duration).count();
  return static_cast<uint32_t>(std::max<int64_t>(seconds, 1));
}

}  // namespace

BasicAuthenticator::BasicAuthenticator(const config::BasicAuth& config, PasswordChecker& checker,
                                       std::shared_ptr<PasswordMemory> memory,
                                       std::shared_ptr<const ConsumerTable> consumers)
    : config_(config),
      checker_(checker),
      memory_(std::move(memory)),
      consumers_(std::move(consumers)),
      challenge_(fmt::format("Basic realm=\"{}\", charset=\"UTF-8\"", config.realm)) {}

AuthOutcome BasicAuthenticator::authenticate(Stream& stream,
                                             const AuthAsker& asker) const noexcept {
  const std::optional<std::string_view> token = authorization(stream, "Basic");
  if (!token) {
    return {};
  }
  const std::optional<std::string> decoded =
      token->size() <= kTokenBytesMax ? decode_base64(*token) : std::nullopt;
  const size_t colon = decoded ? decoded->find(':') : std::string::npos;
  if (colon == std::string::npos) {
    return {.kind = Kind::kRefused, .reason = "malformed"};
  }
  Shown shown{.user = std::string_view(*decoded).substr(0, colon),
              .password = std::string_view(*decoded).substr(colon + 1)};
  shown.entry = consumers_->find_user(shown.user);
  identity::Digest digest{};
  if (!digest_of(shown, digest)) {
    return {.kind = Kind::kUnavailable, .reason = "other"};
  }
  const auto& side = memory_->shard(stream.shard().shard());
  if (shown.entry != nullptr && side.knows(digest, unix_seconds(stream))) {
    AuthOutcome outcome = proved(stream, *shown.entry);
    outcome.cached = true;
    return outcome;
  }
  return ask(stream, asker, shown, digest);
}

std::string_view BasicAuthenticator::hash_of(const Shown& shown) const noexcept {
  if (shown.entry != nullptr) {
    return shown.entry->config->hash;
  }
  const std::string_view any = consumers_->any_password_hash();
  return any.empty() ? kNobodysHash : any;
}

/// Of all that a verdict depends on, so that a new hash in the config makes it another one.
bool BasicAuthenticator::digest_of(const Shown& shown, identity::Digest& out) const noexcept {
  std::array<char, 4096> text;
  size_t size = 0;
  for (const std::string_view part : {checker_.secret(), hash_of(shown), std::string_view("\0", 1),
                                      shown.user, std::string_view("\0", 1), shown.password}) {
    if (part.size() > text.size() - size) {
      return false;
    }
    std::copy(part.begin(), part.end(), text.begin() + static_cast<ptrdiff_t>(size));
    size += part.size();
  }
  return identity::compute_digest(identity::DigestKind::kSha256, {text.data(), size}, out);
}

AuthOutcome BasicAuthenticator::ask(Stream& stream, const AuthAsker& asker, const Shown& shown,
                                    const identity::Digest& digest) const noexcept {
  auto& side = memory_->shard(stream.shard().shard());
  const AuthOutcome busy{
      .kind = Kind::kUnavailable, .reason = "busy", .retry_after_s = kBusyRetryS};
  if (side.pending >= config_.pending_max) {
    return busy;
  }
  const auto length = std::chrono::duration_cast<std::chrono::seconds>(config_.cache).count();
  // One client's guesses at one user count together: nobody can lock out another from afar.
  const std::string guesser = fmt::format("{}\n{}", stream.info.client_ip, shown.user);
  identity::Digest lock_key{};
  static_cast<void>(identity::compute_digest(
      identity::DigestKind::kSha256, fmt::format("{}{}", checker_.secret(), guesser), lock_key));
  const PasswordChecker::Receipt receipt =
      checker_.check({.memory = memory_,
                      .hash = std::string(hash_of(shown)),
                      .password = std::string(shown.password),
                      .digest = digest,
                      .known = shown.entry != nullptr,
                      .lock_key = identity::DigestHash{}(lock_key),
                      .lockout = {.attempts = config_.attempts, .window = config_.lockout},
                      .until_s = unix_seconds(stream) + length,
                      .shard = stream.shard().shard(),
                      .stream = stream.handle(),
                      .authenticator = this,
                      .asker = &asker});
  switch (receipt.taken) {
    case PasswordChecker::Taken::kYes: ++side.pending; return {.kind = Kind::kWaiting};
    case PasswordChecker::Taken::kBusy: break;
    case PasswordChecker::Taken::kLocked:
      return {.kind = Kind::kLocked,
              .reason = "locked",
              .retry_after_s = whole_seconds(receipt.locked_for)};
  }
  return busy;
}

void BasicAuthenticator::answer(Stream& stream, const PasswordAnswer& answer) const noexcept {
  AuthOutcome outcome{.kind = Kind::kRefused, .reason = "password"};
  const std::optional<std::string_view> token = authorization(stream, "Basic");
  const std::optional<std::string> decoded = token ? decode_base64(*token) : std::nullopt;
  const PasswordEntry* const entry =
      decoded ? consumers_->find_user(std::string_view(*decoded).substr(0, decoded->find(':')))
              : nullptr;
  switch (answer.verdict) {
    case PasswordAnswer::Verdict::kRight:
      if (entry != nullptr) {
        outcome = proved(stream, *entry);
      }
      break;
    case PasswordAnswer::Verdict::kWrong: break;
    case PasswordAnswer::Verdict::kLocked:
      outcome = {.kind = Kind::kLocked,
                 .reason = "locked",
                 .retry_after_s = whole_seconds(answer.locked_for)};
      break;
  }
  answer.question.asker->on_auth_answer(stream, outcome);
}

AuthOutcome BasicAuthenticator::proved(Stream& stream, const PasswordEntry& entry) noexcept {
  Principal& principal = make_principal(stream);
  take_consumer(principal, *entry.consumer);
  principal.method = "basic";
  principal.credential = entry.config->user;
  return {.kind = Kind::kProved, .principal = &principal};
}

void BasicAuthenticator::strip(Stream& stream) const noexcept {
  strip_authorization(stream, "Basic");
}

std::string_view BasicAuthenticator::challenge(const AuthOutcome& /*outcome*/) const noexcept {
  return challenge_;
}

}  // namespace hangu::filter
