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
  const std::string source = !discovery.etcd.prefix.empty() ? "etcd " + discovery.etcd.prefix
                             : !discovery.srv.empty()       ? "srv " + discovery.srv
                                                            : "file " + discovery.file;
  return discovery.labels.empty() ? source : source + " " + config::format_labels(discovery.labels);
}

KnownInstances::KnownInstances(std::string upstream, const config::Discovery& discovery) {
  status_.upstream = std::move(upstream);
  status_.source = source_name(discovery);
  status_.labels = discovery.labels;
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
  const size_t there = found.instances.size();
  std::vector<config::Endpoint> endpoints = chosen(std::move(found.instances));
  status_.others = there - endpoints.size();
  endpoints = without_repetitions(std::move(endpoints));
  if (endpoints.size() > config::kDiscoveredMax) {
    found.refused.push_back(
        {"", fmt::format("{} instances are more than {}: the others are left out", endpoints.size(),
                         config::kDiscoveredMax)});
    endpoints.resize(config::kDiscoveredMax);
  }
  if (endpoints.empty()) {
    become_stale(nothing_there(status_.others, found.refused.size()), now);
    tell_refusals(std::move(found.refused));
    return false;
  }
  tell_refusals(std::move(found.refused));
  if (status_.state == State::kStale) {
    log::info("discovery_recovered upstream={} source=\"{}\" instances={}", status_.upstream,
              status_.source, endpoints.size());
  }
  status_.state = State::kFresh;
  status_.error.clear();
  status_.from_cache = false;
  if (endpoints == endpoints_) {
    return false;
  }
  log::info("discovery_changed upstream={} source=\"{}\" instances={} before={}", status_.upstream,
            status_.source, endpoints.size(), endpoints_.size());
  endpoints_ = std::move(endpoints);
  status_.instances = endpoints_.size();
  ++status_.changes;
  return true;
}

std::vector<config::Endpoint> KnownInstances::chosen(
    std::vector<config::Instance> instances) const {
  std::vector<config::Endpoint> endpoints;
  endpoints.reserve(instances.size());
  for (config::Instance& each : instances) {
    if (config::has_labels(each.labels, status_.labels)) {
      endpoints.push_back(std::move(each.endpoint));
    }
  }
  return endpoints;
}

std::string KnownInstances::nothing_there(size_t others, size_t refused) const {
  std::string text = "there is no instance";
  if (others != 0) {
    text = fmt::format("there {} {} instance{}, but none has the labels {}",
                       others == 1 ? "is" : "are", others, others == 1 ? "" : "s",
                       config::format_labels(status_.labels));
  }
  if (refused != 0) {
    text += fmt::format("{} {} that cannot be used", others == 0 ? " but" : ";", refused);
  }
  return text;
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
