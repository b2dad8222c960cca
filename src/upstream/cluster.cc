#include "hangu/upstream/cluster.h"

#include <algorithm>
#include <utility>

namespace hangu::upstream {

Cluster::Cluster(Shared& shared, std::shared_ptr<stats::UpstreamStats> stats)
    : shared_(shared),
      stats_(std::move(stats)) {}

Cluster::~Cluster() {
  // Endpoints report their last connections to us while they go: by then the lists must be empty.
  const auto endpoints = std::exchange(endpoints_, {});
  const auto retired = std::exchange(retired_, {});
}

void Cluster::configure(const config::Upstream& config,
                        std::shared_ptr<const tls::ClientContext> tls) {
  config_ = config;
  tls_ = std::move(tls);
}

void Cluster::set_endpoints(std::span<const EndpointAddress> endpoints) {
  std::vector<std::unique_ptr<Endpoint>> old = std::exchange(endpoints_, {});
  for (const EndpointAddress& wanted : endpoints) {
    const auto kept = std::find_if(old.begin(), old.end(), [&](const auto& endpoint) {
      return endpoint != nullptr && endpoint->address() == wanted.address &&
             endpoint->host() == wanted.host;
    });
    if (kept != old.end()) {
      endpoints_.push_back(std::move(*kept));
    } else {
      endpoints_.push_back(std::make_unique<Endpoint>(*this, wanted.address, wanted.host));
    }
  }
  for (auto& gone : old) {
    if (gone != nullptr) {
      gone->retire();
      retired_.push_back(std::move(gone));
    }
  }
  bury_retired();
}

void Cluster::bury_retired() noexcept {
  std::erase_if(retired_, [](const auto& endpoint) { return endpoint->buriable(); });
}

Endpoint* Cluster::pick(const Endpoint* previous) noexcept {
  if (endpoints_.empty()) {
    return nullptr;
  }
  Endpoint* picked = endpoints_[turn_.next(endpoints_.size())].get();
  if (picked == previous && endpoints_.size() > 1) {
    picked = endpoints_[turn_.next(endpoints_.size())].get();
  }
  return picked;
}

void Cluster::close_idle() noexcept {
  for (const auto& endpoint : endpoints_) {
    endpoint->close_idle();
  }
}

void Cluster::publish_connections() noexcept {
  uint64_t open = 0;
  for (const auto& endpoint : endpoints_) {
    open += endpoint != nullptr ? endpoint->connections() : 0;
  }
  for (const auto& endpoint : retired_) {
    open += endpoint->connections();
  }
  stats().connections.set(open);
}

}  // namespace hangu::upstream
