// FakeGateway: a server::Gateway without a data plane, which notes what it was told. The record
// outlives it, since the Daemon owns and destroys the gateway itself.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "hangu/control/daemon.h"
#include "hangu/server/gateway.h"
#include "hangu/stats/registry.h"

namespace hangu::control {

struct GatewayRecord {
  std::shared_ptr<const config::Config> config;
  server::Callbacks callbacks;
  std::map<std::string, std::vector<server::ResolvedEndpoint>> endpoints;
  std::map<std::string, std::vector<server::EndpointHandle>> handles;
  std::map<std::string, std::shared_ptr<policy::ReleaseShare>, std::less<>> shares;  // by route
  std::string apply_error;  // what apply() shall answer; empty: success
  std::string start_error;  // likewise
  int applied = 0;
  int set_endpoints = 0;
  int drains = 0;
  server::LeavePlan leave;  // of the last
  int reopened = 0;
  bool alive = false;
};

class FakeGateway final : public server::Gateway {
 public:
  FakeGateway(std::shared_ptr<const config::Config> config, GatewayRecord& record)
      : record_(record) {
    record_.config = std::move(config);
    record_.alive = true;
  }

  ~FakeGateway() override { record_.alive = false; }

  static GatewayFactory factory(GatewayRecord& record) {
    return [&record](std::shared_ptr<const config::Config> config, server::Callbacks callbacks,
                     server::Inheritance /*inherited*/)
               -> Result<std::unique_ptr<server::Gateway>, std::string> {
      if (!record.start_error.empty()) {
        return Failure<std::string>{record.start_error};
      }
      record.callbacks = std::move(callbacks);
      return std::unique_ptr<server::Gateway>(
          std::make_unique<FakeGateway>(std::move(config), record));
    };
  }

  Result<server::ReloadReport, std::string> apply(
      std::shared_ptr<const config::Config> config) override {
    if (!record_.apply_error.empty()) {
      return Failure<std::string>{record_.apply_error};
    }
    ++record_.applied;
    record_.config = std::move(config);
    server::ReloadReport report;
    report.generation = record_.config->generation;
    report.streams_on_old_generation = 3;
    return report;
  }

  void set_endpoints(std::string_view upstream,
                     std::vector<server::ResolvedEndpoint> endpoints) override {
    ++record_.set_endpoints;
    record_.endpoints[std::string(upstream)] = std::move(endpoints);
  }

  std::vector<server::EndpointHandle> endpoints(std::string_view upstream) const override {
    const auto known = record_.handles.find(std::string(upstream));
    return known != record_.handles.end() ? known->second : std::vector<server::EndpointHandle>{};
  }

  std::shared_ptr<policy::ReleaseShare> release_share(std::string_view route) const override {
    const auto known = record_.shares.find(route);
    return known != record_.shares.end() ? known->second : nullptr;
  }

  std::shared_ptr<const tls::ClientContext> client_tls(
      std::string_view /*upstream*/) const override {
    return nullptr;
  }

  void set_keys(const std::string&, bool, identity::Issuer) override {}

  void begin_drain(const server::LeavePlan& plan) override {
    ++record_.drains;
    record_.leave = plan;
  }

  void relay_audit(int /*socket*/) override {}

  void adopt(int /*fd*/, std::string_view /*told*/) override {}

  void reopen_logs() override { ++record_.reopened; }

  void refresh_tls() override {}

  Duration sample_load() override { return std::chrono::seconds(1); }

  server::GatewayStatus status() const override {
    server::GatewayStatus status;
    status.event_loop = "fake";
    status.generation = record_.config->generation;
    for (const config::Listener& each : record_.config->listeners) {
      status.listeners.push_back({each.name, each.bind.text});
    }
    for (const config::Upstream& each : record_.config->upstreams) {
      const auto known = record_.endpoints.find(each.name);
      server::UpstreamStatus upstream{each.name, {}};
      if (known != record_.endpoints.end()) {
        for (const server::ResolvedEndpoint& endpoint : known->second) {
          upstream.endpoints.push_back({.address = endpoint.address, .host = endpoint.host});
        }
      } else {
        for (const config::Endpoint& endpoint : each.endpoints) {
          if (!needs_resolving(endpoint)) {
            const server::ResolvedEndpoint numeric = numeric_endpoint(endpoint);
            upstream.endpoints.push_back({.address = numeric.address, .host = numeric.host});
          }
        }
      }
      status.upstreams.push_back(std::move(upstream));
    }
    status.shards.push_back({.id = 0, .generation = status.generation, .requests_total = 12});
    return status;
  }

  stats::Registry& registry() override { return registry_; }

  std::shared_ptr<const config::Config> config() const override { return record_.config; }

 private:
  GatewayRecord& record_;
  stats::Registry registry_{1};
};

}  // namespace hangu::control
