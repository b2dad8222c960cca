// InstanceCache: the last good instances in a file of `state_dir`, so that a process that starts
// while a registry is away knows what the one before knew. Nothing in it is secret, and nothing is
// believed that could not as well stand in the registry. Control thread; the file is written apart.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/steady_timer.hpp>

#include "hangu/base/result.h"
#include "hangu/config/config.h"

#include "control/instance_source.h"

namespace hangu::control {

struct CachedInstances {
  std::string source;  // as people call it: of another one nothing is taken
  std::vector<config::Endpoint> endpoints;
  bool operator==(const CachedInstances&) const = default;
};

using CachedUpstreams = std::map<std::string, CachedInstances>;  // by upstream

std::string to_text(const CachedUpstreams& upstreams);
Result<CachedUpstreams, std::string> cached_from_text(std::string_view text);

class InstanceCache {
 public:
  /// `loader`: writes the file; nullptr: that is done at once.
  InstanceCache(boost::asio::io_context& context, Loader* loader);
  ~InstanceCache();  // writes what has not been written

  /// Reads the file, the first time; there need not be one.
  void open(const std::string& state_dir);

  /// What was known of this upstream, from this source; perhaps nothing.
  std::vector<config::Endpoint> find(const std::string& upstream, const std::string& source) const;

  void put(const std::string& upstream, CachedInstances instances);

  /// Those that `keeps` says no to are forgotten.
  void retain(const std::function<bool(const std::string& upstream)>& keeps);

 private:
  void save_soon();
  void save();

  boost::asio::steady_timer timer_;
  Loader* loader_;
  std::string path_;  // empty: not open
  CachedUpstreams upstreams_;
  bool waits_ = false;
};

}  // namespace hangu::control
