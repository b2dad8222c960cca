// InstanceSource: a place that says which instances an upstream has, asked or watched for as long
// as the object lives. Control thread.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "hangu/config/config.h"

#include "control/known_instances.h"

namespace boost::asio {
class io_context;
}

namespace hangu::control {

class FolderWatch;
class Loader;
class Resolvers;

class InstanceSource {
 public:
  using Sink = std::function<void(FoundInstances)>;

  virtual ~InstanceSource() = default;

  /// Begins; the sink may be called at once.
  virtual void start() = 0;

  /// The upstream as it is from now on; its `discovery` is what it was.
  virtual void follow(const config::Upstream& /*upstream*/) {}
};

struct FileSourceOptions {
  std::string path;
  std::shared_ptr<FolderWatch> watch;
  Loader* loader = nullptr;  // nullptr: it is read at once
};

/// A file with a list, read again whenever it has changed.
std::unique_ptr<InstanceSource> make_file_source(boost::asio::io_context& context,
                                                 FileSourceOptions options,
                                                 InstanceSource::Sink sink);

/// SRV records, asked again when their TTL ends.
std::unique_ptr<InstanceSource> make_srv_source(boost::asio::io_context& context,
                                                Resolvers& resolvers,
                                                const config::Upstream& upstream,
                                                InstanceSource::Sink sink);

}  // namespace hangu::control
