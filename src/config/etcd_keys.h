// Keys that whatever asks an etcd has in common. See schema.cc.
#pragma once

#include "config/type.h"

namespace hangu::config {

TypePtr<EtcdTls> etcd_tls_keys(ReloadClass reload);

/// What goes with what in a mapping with `username`, `password` and `tls`.
struct EtcdAccess {
  const std::string& username;
  const Secret& password;
  const EtcdTls& tls;
};

void check_etcd_access(Reader& reader, const Node& node, const EtcdAccess& access);

}  // namespace hangu::config
