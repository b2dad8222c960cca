#include "hangu/filter/auth_filter.h"

#include <algorithm>
#include <array>
#include <memory>

#include "hangu/config/authenticators.h"
#include "hangu/filter/oidc_authenticator.h"
#include "hangu/filter/principal.h"
#include "hangu/filter/stream.h"

namespace hangu::filter {
namespace {

using Kind = AuthOutcome::Kind;

size_t index_of(std::string_view reason) {
  const auto& reasons = stats::kAuthReasons;
  const auto* const found = std::find(reasons.begin(), reasons.end() - 1, reason);
  return static_cast<size_t>(found - reasons.begin());
}

/// In place of whatever the client has sent.
void forward_token(Stream& stream, std::string_view token) {
  constexpr std::string_view kScheme = "Bearer ";
  char* const begin = stream.arena().allocate(kScheme.size() + token.size(), 1);
  std::copy(token.begin(), token.end(), std::copy(kScheme.begin(), kScheme.end(), begin));
  static_cast<void>(stream.request.headers.set(http::HeaderName::kAuthorization,
                                               {begin, kScheme.size() + token.size()}));
}

/// Of a session that was written anew; no cache may keep such a response.
void write_cookies(Stream& stream) {
  if (stream.kept.oidc == nullptr || stream.kept.oidc->cookies.empty()) {
    return;
  }
  http::HeaderBlock& headers = stream.response.headers;
  bool fits = headers.set(http::HeaderName::kCacheControl, "no-store");
  for (const std::string_view cookie : stream.kept.oidc->cookies.values()) {
    fits = headers.add("set-cookie", cookie) && fits;
  }
  static_cast<void>(fits);  // else the session ends early
}

}  // namespace

void count_refusal(stats::AuthStats& stats, uint32_t shard, std::string_view reason) noexcept {
  stats.slot(shard).refused[index_of(reason)].add();
}

/// How far a request has come. In the stream's arena while it waits.
struct AuthRound {
  size_t next = 0;  // authenticator
  size_t proved = 0;
  bool replied = false;                  // by one of them
  const Principal* principal = nullptr;  // the first that was proved
  AuthOutcome worst;                     // what to tell if it does not suffice
  size_t worst_of = 0;                   // by which authenticator
};

AuthFilter::AuthFilter(List authenticators, const config::Authentication& authentication,
                       const config::Authorization& authorization,
                       std::shared_ptr<const ConsumerTable> consumers, std::string_view anonymous)
    : authenticators_(std::move(authenticators)),
      authentication_(authentication),
      consumers_(std::move(consumers)),
      writes_responses_(
          std::any_of(authenticators_.begin(), authenticators_.end(),
                      [](const auto& one) { return one->authenticator->writes_responses(); })),
      authorization_mode_(authorization.mode) {
  if (const ConsumerEntry* const entry = consumers_->find(anonymous)) {
    take_consumer(anonymous_, *entry);
    anonymous_.method = "anonymous";
  }
  for (const config::AllowRule& rule : authorization.allow) {
    rules_.push_back({.config = rule, .clients = policy::CidrSet(rule.clients)});
  }
}

FilterStatus AuthFilter::on_request_headers(Stream& stream) const noexcept {
  AuthRound round;
  if (run(stream, round)) {
    conclude(stream, round);
    return FilterStatus::kContinue;
  }
  stream.kept.auth_round = std::construct_at(
      reinterpret_cast<AuthRound*>(stream.arena().allocate(sizeof(AuthRound), alignof(AuthRound))),
      round);
  return FilterStatus::kPause;
}

void AuthFilter::on_auth_answer(Stream& stream, const AuthOutcome& outcome) const noexcept {
  AuthRound& round = *stream.kept.auth_round;
  if (note(stream, round, outcome) && !run(stream, round)) {
    return;  // the next one waits
  }
  conclude(stream, round);
  stream.resume_request();
}

/// False: one of them waits.
bool AuthFilter::run(Stream& stream, AuthRound& round) const noexcept {
  while (round.next < authenticators_.size()) {
    const AuthOutcome outcome =
        authenticators_[round.next]->authenticator->authenticate(stream, *this);
    if (outcome.kind == Kind::kWaiting) {
      return false;
    }
    if (!note(stream, round, outcome)) {
      return true;
    }
  }
  return true;
}

/// Whether to ask the next one.
bool AuthFilter::note(Stream& stream, AuthRound& round, const AuthOutcome& outcome) const noexcept {
  const NamedAuthenticator& of = *authenticators_[round.next];
  stats::AuthSlot& stats = of.stats->slot(stream.shard().shard());
  if (outcome.kind == Kind::kProved) {
    stats.proved.add();
    if (outcome.cached) {
      stats.cached.add();
    }
    ++round.proved;
    round.principal = round.principal != nullptr ? round.principal : outcome.principal;
  } else if (round.worst.kind == Kind::kAbsent) {
    round.worst = outcome;
    round.worst_of = round.next;
  }
  if (outcome.kind == Kind::kAbsent) {
    stats.absent.add();
  } else if (outcome.kind != Kind::kProved && !outcome.reason.empty()) {
    count_refusal(*of.stats, stream.shard().shard(), outcome.reason);
  }
  ++round.next;
  if (outcome.kind == Kind::kReplied) {
    round.replied = true;
    return false;
  }
  const bool all = !authentication_.all.empty();
  return all ? outcome.kind == Kind::kProved : outcome.kind != Kind::kProved;
}

bool AuthFilter::enough(const AuthRound& round) const noexcept {
  if (authenticators_.empty()) {
    return true;
  }
  const size_t wanted = authentication_.all.empty() ? 1 : authenticators_.size();
  // Optional: who shows nothing is nobody; who shows something wrong is refused.
  return round.proved >= wanted ||
         (authentication_.optional && round.proved == 0 && round.worst.kind == Kind::kAbsent);
}

void AuthFilter::conclude(Stream& stream, const AuthRound& round) const noexcept {
  if (round.replied) {
    return;
  }
  if (!enough(round)) {
    if (authentication_.mode == config::Mode::kEnforce) {
      refuse(stream, round);
      return;
    }
    stream.note_shadow(name());
  }
  if (round.principal != nullptr) {
    accept(stream, *round.principal);
  } else if (!anonymous_.consumer.empty()) {
    accept(stream, anonymous_);
  }
  for (const auto& one : authenticators_) {
    if (!one->forward && authentication_.mode == config::Mode::kEnforce) {
      one->authenticator->strip(stream);
    }
  }
  if (stream.kept.oidc != nullptr && !stream.kept.oidc->access_token.empty()) {
    forward_token(stream, stream.kept.oidc->access_token);
  }
  authorize(stream);
}

/// Who has shown nothing, or a session that is over, may log in.
bool AuthFilter::send_to_login(Stream& stream, const AuthRound& round) const noexcept {
  return round.worst.kind == Kind::kAbsent && writes_responses_ &&
         std::any_of(authenticators_.begin(), authenticators_.end(),
                     [&](const auto& one) { return one->authenticator->send_to_login(stream); });
}

void AuthFilter::refuse(Stream& stream, const AuthRound& round) const noexcept {
  if (send_to_login(stream, round)) {
    return;
  }
  const AuthOutcome& worst = round.worst;
  std::array<http::ReplyField, 8> challenges;
  size_t count = 0;
  for (size_t i = 0; i < authenticators_.size() && count < challenges.size(); ++i) {
    const AuthOutcome& outcome = i == round.worst_of ? worst : AuthOutcome{};
    const std::string_view text = authenticators_[i]->authenticator->challenge(outcome);
    if (!text.empty()) {
      challenges[count++] = {.name = "www-authenticate", .value = text};
    }
  }
  http::LocalReply reply{.status = 401, .code = "auth.missing", .detail = "no credential"};
  switch (worst.kind) {
    case Kind::kRefused:
      reply.code = "auth.invalid";
      reply.detail = "the credential is not valid";
      break;
    case Kind::kForbidden:
      reply.status = 403;
      reply.code = "auth.insufficient";
      reply.detail = "the credential does not suffice";
      break;
    case Kind::kUnavailable:
      reply.status = worst.status != 0 ? worst.status : 503;
      reply.code = "auth.unavailable";
      reply.detail = "credentials cannot be checked now";
      break;
    case Kind::kLocked:
      reply.status = 429;
      reply.code = "auth.locked";
      reply.detail = "too many wrong credentials";
      break;
    default: break;
  }
  reply.retry_after_s = worst.retry_after_s;
  if (reply.status == 401 || reply.status == 403) {
    reply.fields = {challenges.data(), count};
  }
  stream.info.rule = authenticators_[round.worst_of]->name;
  stream.info.auth_reason = worst.reason;
  stream.send_local_reply(reply, name());
}

void AuthFilter::accept(Stream& stream, const Principal& principal) const noexcept {
  accept_principal(stream, principal);
  for (const auto& one : authenticators_) {
    for (const config::ClaimHeader& header : one->claim_headers) {
      if (const auto value = principal.find(header.claim)) {
        tell_upstream(stream, header.header, *value);
      }
    }
  }
}

void AuthFilter::authorize(Stream& stream) const noexcept {
  if (rules_.empty() || authorization_mode_ == config::Mode::kOff) {
    return;
  }
  for (const Rule& rule : rules_) {
    if (allows(rule, stream)) {
      stream.info.allowed_by = rule.config.id;
      return;
    }
  }
  if (authorization_mode_ == config::Mode::kShadow) {
    stream.note_shadow("authorization");
    return;
  }
  stream.send_local_reply(
      {.status = 403, .code = "authz.denied", .detail = "no rule allows this request"}, name());
}

bool AuthFilter::allows(const Rule& rule, const Stream& stream) const noexcept {
  const std::vector<std::string>& methods = rule.config.methods;
  return matches(rule.config.who, stream.kept.principal) &&
         (methods.empty() ||
          std::find(methods.begin(), methods.end(), stream.request.method_text) != methods.end()) &&
         (rule.clients.empty() || rule.clients.contains(stream.info.client_ip));
}

FilterStatus AuthFilter::on_response_headers(Stream& stream) const noexcept {
  write_cookies(stream);
  return FilterStatus::kContinue;
}

void AuthFilter::on_local_reply(Stream& stream) const noexcept {
  write_cookies(stream);
}

void AuthFilter::on_stream_end(Stream& stream) const noexcept {
  if (stream.kept.oidc != nullptr) {
    end_visit(*stream.kept.oidc);
  }
}

IdentityFieldsFilter::IdentityFieldsFilter(
    const std::vector<config::Authenticator>& authenticators) {
  std::vector<std::string> names = {std::string(kConsumerField), std::string(kGroupsField),
                                    std::string(kMethodField)};
  for (const config::Authenticator& one : authenticators) {
    for (const config::ClaimHeader& header : config::claim_headers_of(one)) {
      names.push_back(header.header);
    }
  }
  for (std::string& name : names) {
    const http::HeaderName token = http::header_name_from(name);
    fields_.push_back({token, std::move(name)});
  }
}

FilterStatus IdentityFieldsFilter::on_request_headers(Stream& stream) const noexcept {
  for (const Field& field : fields_) {
    stream.request.headers.remove(field.token, field.name);
  }
  return FilterStatus::kContinue;
}

}  // namespace hangu::filter
