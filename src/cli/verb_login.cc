// `hangu login` and `hangu logout`: a session at the admin API for one of its administrators.
#include <fmt/format.h>

#include "hangu/base/base64.h"
#include "hangu/identity/password_hash.h"

#include "cli/admin_client.h"
#include "cli/admin_session.h"
#include "cli/json_fields.h"
#include "cli/password_prompt.h"
#include "cli/terminal.h"
#include "cli/verbs.h"

namespace hangu::cli {

int login(const LoginOptions& options, const Environment& environment) {
  const auto address = find_admin(options.target);
  if (!address) {
    print_error(environment, address.error());
    return kRuntimeFailure;
  }
  std::string password = read_password(environment);
  std::string credential = options.name + ":" + password;
  const std::string shown = "Basic " + encode_base64(credential);
  identity::wipe(password);
  identity::wipe(credential);
  const auto reply =
      ask_admin(*address, {.method = "POST", .path = "/login", .authorization = shown});
  if (!reply) {
    print_error(environment, reply.error(), "is it running? `hangu run` starts it");
    return kRuntimeFailure;
  }
  const boost::json::object body = object_from(reply->body);
  if (reply->status != 200) {
    print_error(environment, text_field(body, "detail"));
    return kRuntimeFailure;
  }
  if (auto kept = keep_session(address->text, text_field(body, "token")); !kept) {
    print_error(environment, kept.error());
    return kRuntimeFailure;
  }
  environment.out << fmt::format("{} ({}): for {} s at most, {} s without a command\n",
                                 text_field(body, "name"), text_field(body, "role"),
                                 number_field(body, "session_max_s"),
                                 number_field(body, "idle_timeout_s"));
  return kOk;
}

int logout(const LoginOptions& options, const Environment& environment) {
  const auto address = find_admin(options.target);
  if (!address) {
    print_error(environment, address.error());
    return kRuntimeFailure;
  }
  const auto reply = ask_admin(*address, {.method = "POST", .path = "/logout"});
  forget_session(address->text);
  if (!reply) {
    print_error(environment, reply.error());
    return kRuntimeFailure;
  }
  return kOk;
}

}  // namespace hangu::cli
