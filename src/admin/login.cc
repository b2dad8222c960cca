#include "admin/login.h"

#include <chrono>
#include <ctime>
#include <memory>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "hangu/control/process.h"
#include "hangu/identity/password_hash.h"

namespace hangu::admin {
namespace {

namespace json = boost::json;
using audit::Event;
using audit::Outcome;

constexpr int kBusyRetryS = 1;

std::string seconds_of(Duration duration) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(duration).count();
  return std::to_string(std::max<int64_t>(seconds, 1));
}

Reply login_refused(Refusal why, Duration locked_for) {
  Reply reply;
  switch (why) {
    case Refusal::kLocked:
      reply = problem(429, "admin.locked", "too many wrong passwords for this name from there");
      reply.fields = {{"Retry-After", seconds_of(locked_for)}};
      return reply;
    case Refusal::kBusy:
      reply = problem(503, "admin.busy", "too many sessions, or logins at once");
      reply.fields = {{"Retry-After", std::to_string(kBusyRetryS)}};
      return reply;
    case Refusal::kUnknown:
    case Refusal::kForbidden: break;
  }
  reply = problem(401, "admin.bad_login", "no such name, or not that password");
  reply.fields = {{"WWW-Authenticate", "Basic realm=\"hangu login\", charset=\"UTF-8\""}};
  return reply;
}

std::string_view reason_of(Refusal why) {
  switch (why) {
    case Refusal::kUnknown: return "wrong password or no such administrator";
    case Refusal::kForbidden: return "not with that role";
    case Refusal::kLocked: return "too many wrong passwords";
    case Refusal::kBusy: break;
  }
  return "busy";
}

void record_login(Context& context, std::string_view peer, std::string_view name,
                  std::optional<Refusal> why) {
  context.daemon.record_admin(
      {.event = why == Refusal::kLocked ? Event::kAdminLocked : Event::kAdminLogin,
       .outcome = why ? Outcome::kDenied : Outcome::kOk,
       .actor = peer,
       .object = std::string(name),
       .reason = why ? reason_of(*why) : std::string_view{},
       .detail = {}});
}

Reply welcome(const std::string& token, const Caller& caller, const config::Admin& admin) {
  const auto seconds = [](Duration duration) {
    return std::chrono::duration_cast<std::chrono::seconds>(duration).count();
  };
  const json::object body = {
      {"token", token},
      {"name", caller.name},
      {"role", caller.role ? json::string(to_string(*caller.role)) : json::string()},
      {"idle_timeout_s", seconds(admin.idle_timeout)},
      {"session_max_s", seconds(admin.session_max)}};
  return {200, "application/json", json::serialize(body) + "\n", {}};
}

/// The password has been verified.
Reply finish(const Administrators::Login& login, bool right, const Peer& peer, Context& context) {
  const Now at = now();
  auto token = context.administrators.end_login(login, right, at);
  record_login(context, peer.text, login.name, token ? std::nullopt : std::optional(token.error()));
  if (!token) {
    return login_refused(token.error(), context.administrators.locked_for(login, at));
  }
  const auto caller = context.administrators.admit(kEverybody, peer, "Bearer " + *token, at);
  return caller ? welcome(*token, *caller, context.daemon.config()->admin)
                : login_refused(Refusal::kUnknown, {});
}

}  // namespace

void log_in(const Request& request, Context& context, const std::function<void(Reply)>& done) {
  if (!context.administrators.required()) {
    done(problem(409, "admin.no_administrators", "the config names no administrators: no login"));
    return;
  }
  auto login = context.administrators.begin_login(request.peer, request.authorization, now());
  if (!login) {
    record_login(context, request.peer.text, login.error().name, login.error().kind);
    done(login_refused(login.error().kind, login.error().locked_for));
    return;
  }
  const auto begun = std::make_shared<Administrators::Login>(std::move(*login));
  std::string password = std::exchange(begun->password, {});
  context.verify(begun->hash, std::move(password),
                 [begun, done, peer = request.peer, &context](bool right) {
                   done(finish(*begun, right, peer, context));
                 });
}

Reply log_out(const Request& request, Context& context) {
  context.administrators.log_out(request.authorization);
  record_ended(context);
  return {200, "application/json", "{\"session\":null}\n", {}};
}

Reply session(const Caller& caller) {
  json::object body = {{"actor", caller.actor}, {"name", nullptr}, {"role", nullptr}};
  if (caller.role) {
    body["name"] = caller.name;
    body["role"] = json::string(to_string(*caller.role));
  }
  return {200, "application/json", json::serialize(body) + "\n", {}};
}

Reply refused(Refusal why) {
  if (why == Refusal::kForbidden) {
    return problem(403, "admin.forbidden", "not with that role");
  }
  Reply reply = problem(401, "admin.unknown",
                        "the admin API wants to know who asks: `hangu login`, or an "
                        "administrator's account on the Unix socket");
  reply.fields = {{"WWW-Authenticate", "Bearer realm=\"hangu\""}};
  return reply;
}

void record_refused(const Request& request, Context& context, Refusal why) {
  const auto caller =
      context.administrators.admit(kAnyone, request.peer, request.authorization, now());
  context.daemon.record_admin(
      {.event = Event::kAdminDenied,
       .outcome = Outcome::kDenied,
       .actor = caller ? std::string_view(caller->actor) : std::string_view(request.peer.text),
       .object = request.method + " " + request.target.substr(0, request.target.find('?')),
       .reason = why == Refusal::kForbidden ? reason_of(why) : "no administrator",
       .detail = {}});
}

void record_ended(Context& context) {
  for (const EndedSession& ended : context.administrators.take_ended(now())) {
    context.daemon.record_admin({.event = Event::kAdminLogout,
                                 .outcome = Outcome::kOk,
                                 .actor = ended.name,
                                 .object = ended.name,
                                 .reason = to_string(ended.end),
                                 .detail = {}});
  }
}

Now now() {
  return {.steady = control::monotonic_now(), .wall_s = std::time(nullptr)};
}

}  // namespace hangu::admin
