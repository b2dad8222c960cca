// EtcdRegistry: the instances below prefixes of one etcd, for all upstreams that have theirs there:
// one client and one watch, whatever their number. Control thread.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "hangu/etcd/client.h"

#include "control/instance_source.h"

namespace hangu::control {

class EtcdRegistry {
 public:
  EtcdRegistry(boost::asio::io_context& context, etcd::Options options);
  ~EtcdRegistry();

  /// Tells of the instances below `prefix` for as long as the source lives. The registry lives for
  /// as long as any of them.
  static std::unique_ptr<InstanceSource> make_source(std::shared_ptr<EtcdRegistry> registry,
                                                     std::string prefix, InstanceSource::Sink sink);

 private:
  class Impl;
  class Source;
  std::shared_ptr<Impl> impl_;
};

/// How to ask the etcd of an upstream, which may be that of the config centre.
etcd::Options registry_options(const config::EtcdRegistry& registry,
                               const config::ConfigCenter& center);

/// The same for the same options.
std::string registry_key(const etcd::Options& options);

}  // namespace hangu::control
