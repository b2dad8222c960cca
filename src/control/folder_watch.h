// FolderWatch: tells when something in a folder has been put, replaced or removed (inotify, one
// descriptor for all folders). Control thread. What it misses, such as changes of a file system of
// another machine, those that listen find by looking from time to time.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

namespace boost::asio {
class io_context;
}

namespace hangu::control {

class FolderWatch {
 public:
  explicit FolderWatch(boost::asio::io_context& context);
  ~FolderWatch();

  /// Ends when it is destroyed.
  class Ticket;

  /// Calls `changed` for each change in `folder`. nullptr: it cannot be watched; perhaps later.
  std::unique_ptr<Ticket> watch(const std::string& folder, std::function<void()> changed);

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

class FolderWatch::Ticket {
 public:
  virtual ~Ticket() = default;

  /// Whether the folder is the one of then; else it has gone.
  virtual bool good() const = 0;
};

}  // namespace hangu::control
