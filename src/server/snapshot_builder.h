// Compiles a Config into the Snapshot that shards run. Control thread only: it interns statistics
// and numbers upstreams; neither may happen per request.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "hangu/audit/log_writer.h"
#include "hangu/config/config.h"
#include "hangu/filter/rate_limit_filter.h"
#include "hangu/filter/snapshot.h"
#include "hangu/server/tls_contexts.h"
#include "hangu/stats/registry.h"

#include "server/random.h"

namespace hangu::server {

/// Gives every upstream name a number that it keeps for the life of the process.
class ClusterNumbers {
 public:
  uint32_t number_of(const std::string& name) {
    return numbers_.try_emplace(name, static_cast<uint32_t>(numbers_.size())).first->second;
  }

 private:
  std::unordered_map<std::string, uint32_t> numbers_;
};

/// The counts of a rate limit and what they were made for.
struct RateLimitMemory {
  std::shared_ptr<filter::RateLimitCounts> counts;
  std::vector<config::KeyPart> key;
  uint64_t keys_max = 0;
};

class SnapshotBuilder {
 public:
  explicit SnapshotBuilder(stats::Registry& registry)
      : registry_(registry) {}

  /// `access_log` may be null: no access log. It must outlive the snapshot.
  std::shared_ptr<const filter::Snapshot> build(std::shared_ptr<const config::Config> config,
                                                audit::LogWriter* access_log,
                                                const TlsContexts& tls);

  uint32_t cluster_number(const std::string& upstream) { return clusters_.number_of(upstream); }

 private:
  using RateLimits = std::vector<std::shared_ptr<const filter::RateLimit>>;

  RateLimits build_rate_limits(const config::Config& config);
  filter::RouteRuntime build_route(const config::Config& config, const config::Route& route,
                                   const RateLimits& limits);

  stats::Registry& registry_;
  ClusterNumbers clusters_;
  Random random_;
  // What has been counted, by the name of the limit: goes on over generations.
  std::unordered_map<std::string, RateLimitMemory> rate_limits_;
};

}  // namespace hangu::server
