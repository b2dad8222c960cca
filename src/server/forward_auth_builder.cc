#include "server/forward_auth_builder.h"

#include <utility>

namespace hangu::server {

void ForwardAuthBuilder::build(const config::Config& config, const Needs& needs) {
  const auto before = std::exchange(memories_, {});
  filters_.clear();
  for (const config::ForwardAuth& service : config.forward_auths) {
    Memory memory{.config = service, .upstream = config.upstreams[service.upstream].name};
    const auto found = before.find(service.name);
    // Decisions of another service, or to another question, are not this one's.
    memory.memory = found != before.end() && found->second.config == memory.config &&
                            found->second.upstream == memory.upstream
                        ? found->second.memory
                        : std::make_shared<filter::ForwardAuthMemory>(registry_.shards(),
                                                                      service.cache.entries);
    filters_.push_back(std::make_shared<const filter::ForwardAuthFilter>(
        service, filter::ForwardAuthParts{.cluster = needs.cluster_number(memory.upstream),
                                          .memory = memory.memory,
                                          .consumers = needs.consumers,
                                          .stats = registry_.forward_auth(service.name),
                                          .secret = needs.secret}));
    memories_.emplace(service.name, std::move(memory));
  }
}

std::shared_ptr<const filter::Filter> ForwardAuthBuilder::filter_of(
    const config::Route& route) const {
  return route.forward_auth < filters_.size() ? filters_[route.forward_auth] : nullptr;
}

}  // namespace hangu::server
