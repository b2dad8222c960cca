#include "control/operator_orders.h"

#include <vector>

#include <fmt/format.h>

#include "hangu/base/log.h"
#include "hangu/control/process.h"

#include "control/audit_events.h"

namespace hangu::control {
namespace {

Failure<std::string> not_serving() {
  return Failure<std::string>{"the process is not serving"};
}

}  // namespace

Result<void, std::string> order_endpoints(server::Gateway* gateway, uint64_t generation,
                                          const EndpointOrder& wanted) {
  if (gateway == nullptr) {
    return not_serving();
  }
  const std::vector<server::EndpointHandle> handles = gateway->endpoints(wanted.upstream);
  if (handles.empty()) {
    return Failure<std::string>{fmt::format("no upstream \"{}\" has endpoints", wanted.upstream)};
  }
  bool found = false;
  for (const server::EndpointHandle& handle : handles) {
    const std::string& address = handle.endpoint.address;
    if (address == wanted.endpoint || handle.endpoint.host == wanted.endpoint) {
      found = true;
      handle.health->set_order(wanted.order, monotonic_now().time_since_epoch().count());
      log::info("event=endpoint_order upstream={} endpoint={} order={}", wanted.upstream, address,
                policy::to_string(wanted.order));
      record_admin(gateway->audit_log(), generation,
                   {.event = audit::Event::kEndpointOrdered,
                    .outcome = audit::Outcome::kOk,
                    .actor = wanted.actor,
                    .object = fmt::format("{} {}", wanted.upstream, address),
                    .reason = {},
                    .detail = std::string(policy::to_string(wanted.order))});
    }
  }
  if (!found) {
    return Failure<std::string>{
        fmt::format("upstream \"{}\" has no endpoint \"{}\"", wanted.upstream, wanted.endpoint)};
  }
  return {};
}

Result<server::PluginSwap, std::string> change_plugin(server::Gateway* gateway, uint64_t generation,
                                                      const PluginOrder& wanted) {
  if (gateway == nullptr) {
    return not_serving();
  }
  auto swap = gateway->change_plugin(wanted.plugin, wanted.change);
  if (!swap) {
    log::error("plugin_not_changed plugin={} error=\"{}\"", wanted.plugin, swap.error());
  }
  if (!swap || swap->before != swap->after) {
    record_plugin(gateway->audit_log(), {.generation = generation,
                                         .actor = wanted.actor,
                                         .plugin = wanted.plugin,
                                         .before = swap ? swap->before : "",
                                         .after = swap ? swap->after : "",
                                         .error = swap ? "" : swap.error()});
  }
  return swap;
}

}  // namespace hangu::control
