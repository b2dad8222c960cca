// Sessions: opened, used, renewed, refreshed. Logins are in oidc_login.cc, the token endpoint is in
// oidc_tokens.cc.
#include "hangu/filter/oidc_authenticator.h"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "hangu/config/authenticators.h"
#include "hangu/filter/principal.h"
#include "hangu/filter/stream.h"

#include "filter/oidc_question.h"

namespace hangu::filter {
namespace {

using Kind = AuthOutcome::Kind;

constexpr AuthOutcome kOver = {.kind = Kind::kAbsent, .reason = "expired"};
constexpr AuthOutcome kEnded = {.kind = Kind::kAbsent, .reason = "logged_out"};

int64_t seconds_of(Duration duration) {
  return std::chrono::duration_cast<std::chrono::seconds>(duration).count();
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    text += (text.empty() ? "" : " ") + word;
  }
  return text;
}

identity::Sealer sealer_of(const config::Authenticator& config,
                           const std::vector<std::string>& otherwise, std::string_view what) {
  std::vector<std::string> secrets;
  if (config.oidc.secrets.empty()) {
    secrets = otherwise;
  }
  for (const config::Secret& secret : config.oidc.secrets) {
    secrets.push_back(secret.text);
  }
  return {secrets,
          identity::sealing_purpose(what, {.authenticator = config.name,
                                           .issuer = config.oidc.id_token.issuer,
                                           .client_id = config.oidc.client_id}),
          config.oidc.cipher};
}

int64_t steady_seconds(const Stream& stream) {
  return seconds_of(stream.now().time_since_epoch());
}

bool token_is_over(const identity::OidcSession& session, int64_t now_s) {
  return session.expires_s != 0 && now_s >= session.expires_s;
}

}  // namespace

identity::JwtRules id_token_rules(const config::OidcAuth& config) {
  return {.issuer = config.id_token.issuer,
          .audiences = {config.client_id},
          .algorithms = config.id_token.algorithms,
          .clock_skew_s = seconds_of(config.id_token.clock_skew)};
}

int64_t now_seconds(const Stream& stream) {
  return std::chrono::duration_cast<std::chrono::seconds>(
             stream.shard().wall_time().time_since_epoch())
      .count();
}

void end_visit(OidcVisit& visit) noexcept {
  if (RefreshWait* const wait = std::exchange(visit.wait, nullptr)) {
    std::destroy_at(wait);
  }
}

OidcVisit& visit_of(Stream& stream) {
  if (stream.kept.oidc == nullptr) {
    stream.kept.oidc = std::construct_at(reinterpret_cast<OidcVisit*>(
        stream.arena().allocate(sizeof(OidcVisit), alignof(OidcVisit))));
  }
  return *stream.kept.oidc;
}

OidcAuthenticator::OidcAuthenticator(const config::Authenticator& config, Parts parts)
    : name_(config.name),
      config_(config.oidc),
      client_({.id = config_.client_id,
               .secret = config_.client_secret.text,
               .in_form = config_.client_authentication == config::ClientAuthentication::kPost,
               .scopes = joined(config_.scopes)}),
      rules_(id_token_rules(config_)),
      authorization_(client_.authorization()),
      callback_path_(config::callback_path_of(config_)),
      challenge_("Cookie realm=\"" + config.name + '"'),
      cookies_(config::session_cookie_of(config), config_.redirect_uri.starts_with("https://")),
      session_sealer_(sealer_of(config, parts.session_secrets, "session")),
      login_sealer_(sealer_of(config, parts.session_secrets, "login")),
      claims_({.consumer = config_.id_token.consumer_claim,
               .scopes = "scope",
               .groups = config_.id_token.groups_claim},
              std::move(parts.claims), config_.id_token.claim_headers),
      parts_(std::move(parts)),
      target_(parts_.cluster, config_.timeout, kAnswerBytesMax) {}

OidcMemory::ShardSide& OidcAuthenticator::side(Stream& stream) const noexcept {
  return parts_.memory->shard(stream.shard().shard());
}

AuthOutcome OidcAuthenticator::authenticate(Stream& stream, const AuthAsker& asker) const noexcept {
  const http::RequestHead& request = stream.request;
  const bool gets = request.method == http::Method::kGet;
  if (gets && request.path == callback_path_) {
    return callback(stream, asker);
  }
  if ((gets || request.method == http::Method::kPost) && request.path == config_.logout_path) {
    return logout(stream);
  }
  const std::string_view sealed = cookies_.session(stream);
  if (sealed.empty()) {
    return {};
  }
  if (const KnownSession* const known = side(stream).sessions.find(sealed, unix_seconds(stream))) {
    AuthOutcome outcome = use(stream, asker, sealed, *known);
    outcome.cached = outcome.kind == Kind::kProved;
    return outcome;
  }
  const KnownSession* const known = open(stream, sealed);
  return known != nullptr ? use(stream, asker, sealed, *known)
                          : AuthOutcome{.kind = Kind::kAbsent, .reason = "session"};
}

std::string_view OidcAuthenticator::challenge(const AuthOutcome& /*outcome*/) const noexcept {
  return challenge_;
}

// --- sessions ---------------------------------------------------------------------------------

/// nullptr: nothing that this authenticator has sealed. Valid until the next one is remembered.
const KnownSession* OidcAuthenticator::open(Stream& stream, std::string_view sealed) const {
  if (const KnownSession* const known = side(stream).sessions.find(sealed, unix_seconds(stream))) {
    return known;
  }
  const std::optional<std::string> bytes = session_sealer_.open(sealed);
  std::optional<identity::OidcSession> session =
      bytes ? identity::read_session(*bytes) : std::nullopt;
  return session ? &remember(stream, sealed, std::move(*session)) : nullptr;
}

const KnownSession& OidcAuthenticator::remember(Stream& stream, std::string_view sealed,
                                                identity::OidcSession session) const {
  KnownSession known;
  if (const auto claims = identity::claims_of_jwt(session.id_token)) {
    known.facts = claims_.facts_of(*claims);
    const std::string sid(session.sid.empty() ? claims->text("sid") : session.sid);
    if (known.facts.id.empty()) {
      known.facts.id = sid;
    }
    if (parts_.logouts != nullptr) {
      known.logout_keys = parts_.logouts->keys_of(claims->text("sub"), sid);
    }
  }
  known.facts.scopes.clear();
  std::string_view scopes = session.scopes;
  while (!scopes.empty()) {
    const size_t end = std::min(scopes.find(' '), scopes.size());
    if (end != 0) {
      known.facts.scopes.emplace_back(scopes.substr(0, end));
    }
    scopes.remove_prefix(std::min(end + 1, scopes.size()));
  }
  const int64_t until_s = std::min(session.created_s + seconds_of(config_.lifetime),
                                   session.used_s + seconds_of(config_.idle_timeout));
  known.session = std::move(session);
  return side(stream).sessions.add(sealed, std::move(known), until_s);
}

bool OidcAuthenticator::is_over(const identity::OidcSession& session,
                                int64_t now_s) const noexcept {
  return now_s >= session.created_s + seconds_of(config_.lifetime) ||
         now_s >= session.used_s + seconds_of(config_.idle_timeout);
}

/// By the provider, since it began.
bool OidcAuthenticator::is_ended(const KnownSession& known) const noexcept {
  return parts_.logouts != nullptr &&
         parts_.logouts->ended(known.logout_keys, known.session.created_s);
}

AuthOutcome OidcAuthenticator::use(Stream& stream, const AuthAsker& asker, std::string_view sealed,
                                   const KnownSession& known) const {
  const int64_t now_s = unix_seconds(stream);
  if (is_over(known.session, now_s)) {
    return kOver;
  }
  if (is_ended(known)) {
    return kEnded;  // the provider need not be asked for anything
  }
  if (!token_is_over(known.session, now_s)) {
    return accept(stream, known);
  }
  if (!known.session.refresh_token.empty()) {
    return refresh(stream, asker, sealed, known);
  }
  return config_.forward_access_token ? kOver : accept(stream, known);
}

/// What goes into the stream is copied: the memory may drop the session while the stream lives.
AuthOutcome OidcAuthenticator::accept(Stream& stream, const KnownSession& known) const {
  if (is_ended(known)) {
    return kEnded;
  }
  Principal& principal = principal_of(stream, known.facts, *parts_.consumers);
  principal.method = "oidc";
  if (config_.forward_access_token) {
    visit_of(stream).access_token = stream.arena().copy(known.session.access_token);
  }
  // An idle timeout that is a tenth too short, for a cookie that is written a tenth as often.
  constexpr int64_t kRenewals = 10;
  const int64_t idle_s = unix_seconds(stream) - known.session.used_s;
  const bool due = idle_s > 0 && idle_s * kRenewals >= seconds_of(config_.idle_timeout);
  if (due && (stream.kept.oidc == nullptr || stream.kept.oidc->cookies.empty())) {
    renew(stream, known);
  }
  return {.kind = Kind::kProved, .principal = &principal};
}

/// Written anew: it was used just now.
void OidcAuthenticator::renew(Stream& stream, const KnownSession& known) const {
  identity::OidcSession session = known.session;
  session.used_s = unix_seconds(stream);
  const std::string sealed = session_sealer_.seal(identity::to_bytes(session));
  if (!sealed.empty() && cookies_.write_session(stream, sealed, visit_of(stream).cookies)) {
    remember(stream, sealed, std::move(session));
  }
}

// --- refresh ----------------------------------------------------------------------------------

identity::Digest OidcAuthenticator::digest_of(std::string_view kind,
                                              std::string_view text) const noexcept {
  identity::Digest digest{};
  const std::array<std::string_view, 3> parts = {parts_.secret, kind, text};
  static_cast<void>(identity::compute_digest(parts, digest));
  return digest;
}

AuthOutcome OidcAuthenticator::refresh(Stream& stream, const AuthAsker& asker,
                                       std::string_view sealed, const KnownSession& known) const {
  const std::string refresh_token = known.session.refresh_token;
  const identity::Digest digest = digest_of("refresh", refresh_token);
  const int64_t now_ns = stream.now().time_since_epoch().count();
  OidcVisit& visit = visit_of(stream);
  bool again = false;
  if (const std::string* const found = side(stream).refreshed.find(digest, now_ns)) {
    // A browser sends many requests at once: what one of them has brought is good for all.
    const std::string_view fresh = stream.arena().copy(*found);
    const KnownSession* const next = fresh.empty() ? nullptr : open(stream, fresh);
    if (next == nullptr || is_over(next->session, unix_seconds(stream))) {
      return kOver;
    }
    if (!token_is_over(next->session, unix_seconds(stream))) {
      const bool fits = cookies_.write_session(stream, fresh, visit.cookies);
      return fits ? accept(stream, *next) : kOver;
    }
    if (next->session.refresh_token != refresh_token) {
      return refresh(stream, asker, fresh, *next);
    }
    sealed = fresh;  // over again, and good for another one
    again = true;
  }
  visit.is_login = false;
  if (visit.sealed.data() != sealed.data()) {
    visit.sealed = stream.arena().copy(sealed);
  }
  return again ? ask(stream, asker, digest, identity::refresh_form(client_, refresh_token))
               : ask_for_refresh(stream, asker, digest, refresh_token);
}

/// Unless another shard does, or has done.
AuthOutcome OidcAuthenticator::ask_for_refresh(Stream& stream, const AuthAsker& asker,
                                               const identity::Digest& digest,
                                               const std::string& refresh_token) const {
  using Found = identity::RefreshBoard::Found;
  constexpr int64_t kClaimGraceS = 10;
  identity::RefreshBoard& board = parts_.memory->board();
  Found found = Found::kNoPlace;
  if (!side(stream).asked.contains(digest)) {
    std::string text;
    found = board.look(digest, steady_seconds(stream), seconds_of(config_.timeout) + kClaimGraceS,
                       text);
    if (found == Found::kAsked) {
      return wait_for_others(stream, asker);
    }
    if (found == Found::kText || found == Found::kRefused) {
      note_refreshed(stream, digest, text);
      const KnownSession* const known = open(stream, visit_of(stream).sealed);
      return known != nullptr ? refresh(stream, asker, visit_of(stream).sealed, *known) : kOver;
    }
  }
  AuthOutcome outcome = ask(stream, asker, digest, identity::refresh_form(client_, refresh_token));
  if (found == Found::kClaimed && outcome.kind == Kind::kWaiting) {
    side(stream).asked.find(digest)->second->claimed = true;
  } else if (found == Found::kClaimed) {
    board.give_back(digest);
  }
  return outcome;
}

AuthOutcome OidcAuthenticator::wait_for_others(Stream& stream, const AuthAsker& asker) const {
  constexpr Duration kLook = std::chrono::milliseconds(20);
  constexpr Duration kGrace = std::chrono::seconds(1);
  OidcVisit& visit = visit_of(stream);
  if (visit.wait == nullptr) {
    visit.wait = std::construct_at(reinterpret_cast<RefreshWait*>(stream.arena().allocate(
                                       sizeof(RefreshWait), alignof(RefreshWait))),
                                   stream, *this, stream.now() + config_.timeout + kGrace);
  }
  if (stream.now() >= visit.wait->until) {
    return unavailable("timeout");
  }
  visit.wait->asker = &asker;
  visit.wait->arm(stream.shard().timers(), kLook);
  return {.kind = Kind::kWaiting};
}

void OidcAuthenticator::look_again(Stream& stream, const AuthAsker& asker) const noexcept {
  const std::string_view sealed = visit_of(stream).sealed;
  const KnownSession* const known = open(stream, sealed);
  const AuthOutcome outcome =
      known != nullptr ? refresh(stream, asker, sealed, *known) : AuthOutcome(kOver);
  if (outcome.kind != Kind::kWaiting) {
    asker.on_auth_answer(stream, outcome);
  }
}

/// `sealed`: what a refresh token has brought; empty: the provider has refused.
void OidcAuthenticator::note_refreshed(Stream& stream, const identity::Digest& digest,
                                       std::string_view sealed) const {
  constexpr Duration kRememberedFor = std::chrono::minutes(1);
  constexpr Duration kRefusedFor = std::chrono::seconds(5);
  const Duration length = sealed.empty() ? kRefusedFor : kRememberedFor;
  side(stream).refreshed.add(digest, std::string(sealed),
                             (stream.now() + length).time_since_epoch().count());
  parts_.memory->board().tell(digest, sealed, steady_seconds(stream) + seconds_of(length));
}

AuthOutcome OidcAuthenticator::finish_refresh(Stream& stream, const AuthAsker* asker,
                                              const Answer& answer) const {
  const KnownSession* const known = open(stream, visit_of(stream).sealed);
  if (known == nullptr) {
    return kOver;
  }
  identity::OidcSession session = known->session;
  const identity::Digest digest = digest_of("refresh", session.refresh_token);
  // Anything else may be another time, or for another client secret.
  if (answer.fault == "grant") {
    note_refreshed(stream, digest, {});
    return kOver;
  }
  if (!answer.fault.empty()) {
    return unavailable(answer.fault);
  }
  if (!answer.tokens.id_token.empty()) {
    const auto before = identity::claims_of_jwt(session.id_token);
    const identity::IdTokenResult result =
        verify(stream, answer.tokens, {}, before ? before->text("sub") : std::string_view{});
    if (result.wants_keys() && wait_for_keys(stream, asker, answer.tokens)) {
      return {.kind = Kind::kWaiting};
    }
    if (!result.good()) {
      note_refreshed(stream, digest, {});
      return {.kind = Kind::kAbsent, .reason = result.reason()};
    }
    session.id_token = answer.tokens.id_token;
    if (!result.claims.text("sid").empty()) {
      session.sid.clear();
    } else if (session.sid.empty() && before) {
      session.sid = before->text("sid");
    }
  }
  take_tokens(session, answer.tokens, now_seconds(stream));
  const std::string sealed = session_sealer_.seal(identity::to_bytes(session));
  SetCookies& cookies = visit_of(stream).cookies;
  cookies = {};
  if (sealed.empty() || !cookies_.write_session(stream, sealed, cookies)) {
    note_refreshed(stream, digest, {});
    return {.kind = Kind::kAbsent, .reason = "too_large"};
  }
  note_refreshed(stream, digest, sealed);
  return accept(stream, remember(stream, sealed, std::move(session)));
}

}  // namespace hangu::filter
