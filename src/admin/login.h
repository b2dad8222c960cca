// /login, /logout and /session: how administrators come and go, and what a caller is told who may
// not do what he asked for. Control thread.
#pragma once

#include <functional>

#include "hangu/admin/routes.h"

namespace hangu::admin {

/// Calls `done` once the password is verified.
void log_in(const Request& request, Context& context, const std::function<void(Reply)>& done);
Reply log_out(const Request& request, Context& context);
Reply session(const Caller& caller);

Reply refused(Refusal why);

/// What the audit log is told: who was refused, and whose session has ended.
void record_refused(const Request& request, Context& context, Refusal why);
void record_ended(Context& context);

Now now();

}  // namespace hangu::admin
