// How to ask an etcd, from what a config says of it.
#pragma once

#include "hangu/etcd/client.h"

namespace hangu::control {

/// `access`: a config::ConfigCenter or config::EtcdRegistry.
template <class Access>
etcd::Options etcd_options(const Access& access) {
  return {.endpoints = access.endpoints,
          .username = access.username,
          .password = access.password.text,
          .ca = access.tls.ca,
          .server_name = access.tls.server_name,
          .certificate = access.tls.certificate,
          .key = access.tls.key,
          .timeout = access.timeout};
}

}  // namespace hangu::control
