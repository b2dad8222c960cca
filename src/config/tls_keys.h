// The tables of the `tls` mappings; see schema.h.
#pragma once

#include "config/type.h"

namespace hangu::config {

TypePtr<ListenerTls> listener_tls();
TypePtr<UpstreamTls> upstream_tls();

}  // namespace hangu::config
