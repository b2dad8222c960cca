// Discovery: the instances of upstreams with `discovery`, from wherever each says. It keeps the
// last good ones, and those of an earlier process until there are any. Control thread. What their
// names resolve to is EndpointRefresher's.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hangu/config/config.h"
#include "hangu/control/discovery_status.h"

#include "control/etcd_registry.h"
#include "control/folder_watch.h"
#include "control/instance_cache.h"
#include "control/instance_source.h"
#include "control/resolvers.h"

namespace hangu::control {

class Discovery {
 public:
  struct Hooks {
    /// What is known of this upstream is another than before, be it that nothing more is waited
    /// for.
    std::function<void(const std::string& upstream)> on_news;
    Loader* loader = nullptr;  // nullptr: what takes time is done at once
  };

  Discovery(boost::asio::io_context& context, Resolvers& resolvers, Hooks hooks);
  ~Discovery();

  /// Begins with the sources of `config` that are not asked yet.
  void prepare(const config::Config& config);

  /// And ends with those that are not of `config`.
  void apply(const config::Config& config);

  /// Whether a source has not answered yet.
  bool pending() const;

  /// Those that are known, beside the upstream's own endpoints.
  const std::vector<config::Endpoint>& instances(const config::Upstream& upstream) const;

  std::vector<DiscoveryStatus> status() const;

 private:
  struct Entry;

  Entry* find(const config::Upstream& upstream) const;
  Entry* find(uint64_t id) const;
  void add(const config::Config& config, const config::Upstream& upstream);
  std::unique_ptr<InstanceSource> make_source(const config::Config& config,
                                              const config::Upstream& upstream,
                                              InstanceSource::Sink sink);
  void take(uint64_t id, FoundInstances found);

  boost::asio::io_context& context_;
  Resolvers& resolvers_;
  Hooks hooks_;
  InstanceCache cache_;
  std::shared_ptr<FolderWatch> folders_;
  std::map<std::string, std::weak_ptr<EtcdRegistry>> registries_;            // by registry_key()
  std::multimap<std::string, std::unique_ptr<Entry>, std::less<>> entries_;  // by upstream
  uint64_t next_id_ = 1;
  TimePoint began_;  // with the cache
};

}  // namespace hangu::control
