// What answers each row of the table of routes, but for documents. Control thread.
#pragma once

#include "admin/route_table.h"

namespace hangu::admin {

void answer_index(const Admitted& asked, Context& context, Done done);
void answer_health(const Admitted& asked, Context& context, Done done);
void answer_ready(const Admitted& asked, Context& context, Done done);
void answer_status(const Admitted& asked, Context& context, Done done);
void answer_upstreams(const Admitted& asked, Context& context, Done done);
void answer_endpoint(const Admitted& asked, Context& context, Done done);
void answer_plugins(const Admitted& asked, Context& context, Done done);
void answer_plugin(const Admitted& asked, Context& context, Done done);
void answer_releases(const Admitted& asked, Context& context, Done done);
void answer_release(const Admitted& asked, Context& context, Done done);
void answer_metrics(const Admitted& asked, Context& context, Done done);
void answer_config(const Admitted& asked, Context& context, Done done);
void answer_explain(const Admitted& asked, Context& context, Done done);
void answer_reading(const Admitted& asked, Context& context, Done done);
void answer_reload(const Admitted& asked, Context& context, Done done);
void answer_upgrade(const Admitted& asked, Context& context, Done done);
void answer_login(const Admitted& asked, Context& context, Done done);
void answer_logout(const Admitted& asked, Context& context, Done done);
void answer_session(const Admitted& asked, Context& context, Done done);
void answer_openapi(const Admitted& asked, Context& context, Done done);

}  // namespace hangu::admin
