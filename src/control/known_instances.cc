#include "control/known_instances.h"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "hangu/base/log.h"
#include "hangu/config/endpoint_file.h"

namespace hangu::control {
namespace {

using State = DiscoveryStatus::State;

/// Each address once: several keys may tell of one instance.
std::vector<config::Endpoint> without_repetitions(std::vector<config::Endpoint> endpoints) {
  std::set<std::string> seen;
  std::erase_if(endpoints, [&](const config::Endpoint& each) {
    return !seen.insert(config::format_endpoint(each)).second;
  });
  return endpoints;
}

std::string nothing_there(const FoundInstances& found) {
  return found.refused.empty()
             ? "there is no instance"
             : fmt::format("there is no instance but {} that cannot be used", found.refused.size());
}

}  // namespace

std::string_view to_string(DiscoveryStatus::State state) {
  switch (state) {
    case State::kWaiting: return "waiting";
    case State::kFresh: return "fresh";
    case State::kStale: return "stale";
  }
  return "";
}

std::string source_name(const config::Discovery& discovery) {
  return !discovery.etcd.prefix.empty() ? "etcd " + discovery.etcd.prefix
         : !discovery.srv.empty()       ? "srv " + discovery.srv
                                        : "file " + discovery.file;
}

KnownInstances::KnownInstances(std::string upstream, std::string source) {
  status_.upstream = std::move(upstream);
  status_.source = std::move(source);
}

void KnownInstances::restore(std::vector<config::Endpoint> endpoints) {
  endpoints_ = std::move(endpoints);
  status_.instances = endpoints_.size();
  status_.from_cache = !endpoints_.empty();
}

bool KnownInstances::take(FoundInstances found, WallTime now) {
  if (!found.error.empty()) {
    become_stale(std::move(found.error), now);
    return false;
  }
  found.endpoints = without_repetitions(std::move(found.endpoints));
  if (found.endpoints.size() > config::kDiscoveredMax) {
    found.refused.push_back(
        {"", fmt::format("{} instances are more than {}: the others are left out",
                         found.endpoints.size(), config::kDiscoveredMax)});
    found.endpoints.resize(config::kDiscoveredMax);
  }
  if (found.endpoints.empty()) {
    become_stale(nothing_there(found), now);
    tell_refusals(std::move(found.refused));
    return false;
  }
  tell_refusals(std::move(found.refused));
  if (status_.state == State::kStale) {
    log::info("discovery_recovered upstream={} source=\"{}\" instances={}", status_.upstream,
              status_.source, found.endpoints.size());
  }
  status_.state = State::kFresh;
  status_.error.clear();
  status_.from_cache = false;
  if (found.endpoints == endpoints_) {
    return false;
  }
  log::info("discovery_changed upstream={} source=\"{}\" instances={} before={}", status_.upstream,
            status_.source, found.endpoints.size(), endpoints_.size());
  endpoints_ = std::move(found.endpoints);
  status_.instances = endpoints_.size();
  ++status_.changes;
  return true;
}

void KnownInstances::become_stale(std::string error, WallTime now) {
  if (status_.state != State::kStale) {
    log::error("discovery_stale upstream={} source=\"{}\" error=\"{}\" kept_instances={}",
               status_.upstream, status_.source, error, endpoints_.size());
    status_.since = now;
    ++status_.failures;
  }
  status_.state = State::kStale;
  status_.error = std::move(error);
}

void KnownInstances::tell_refusals(std::vector<RefusedInstance> refused) {
  if (refused.size() > kRefusedMax) {
    const size_t more = refused.size() - kRefusedMax + 1;
    refused.resize(kRefusedMax - 1);
    refused.push_back({"", fmt::format("{} more cannot be used", more)});
  }
  std::map<std::string, std::string> now;
  for (const RefusedInstance& each : refused) {
    now[each.key] = each.reason;
    const auto told = told_.find(each.key);
    if (told == told_.end() || told->second != each.reason) {
      log::warning("instance_refused upstream={} key={} error=\"{}\"", status_.upstream, each.key,
                   each.reason);
    }
  }
  told_ = std::move(now);
  status_.refused = std::move(refused);
}

}  // namespace hangu::control
