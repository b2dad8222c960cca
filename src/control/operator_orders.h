// What an operator wants done to a part of the gateway: done, logged and recorded. Control thread.
// Without a gateway the process is not serving, and the error says so.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "hangu/base/result.h"
#include "hangu/policy/endpoint_health.h"
#include "hangu/server/gateway.h"

namespace hangu::control {

struct EndpointOrder {
  std::string_view upstream;
  std::string_view endpoint;  // address or host: all endpoints that have it
  policy::EndpointHealth::Order order;
  std::string_view actor;
};

/// The error says what there is no such of.
Result<void, std::string> order_endpoints(server::Gateway* gateway, uint64_t generation,
                                          const EndpointOrder& wanted);

struct PluginOrder {
  std::string_view plugin;
  server::PluginChange change;
  std::string_view actor;
};

Result<server::PluginSwap, std::string> change_plugin(server::Gateway* gateway, uint64_t generation,
                                                      const PluginOrder& wanted);

}  // namespace hangu::control
