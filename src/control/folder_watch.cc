#include "control/folder_watch.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <set>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "hangu/base/log.h"

namespace hangu::control {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr uint32_t kEvents = IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_TO | IN_MOVED_FROM |
                             IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;

}  // namespace

class FolderWatch::Impl : public std::enable_shared_from_this<Impl> {
 public:
  explicit Impl(asio::io_context& context)
      : descriptor_(context) {
    const int fd = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (fd < 0) {
      log::warning("files_not_watched errno={} hint=\"they are looked at every few seconds\"",
                   errno);
      return;
    }
    descriptor_.assign(fd);
  }

  void stop() {
    error_code ignored;
    descriptor_.close(ignored);
  }

  /// The number of the listener; 0: it cannot be watched.
  uint64_t add(const std::string& folder, std::function<void()> changed) {
    const int watch = descriptor_.is_open() ? ::inotify_add_watch(descriptor_.native_handle(),
                                                                  folder.c_str(), kEvents)
                                            : -1;
    if (watch < 0) {
      return 0;
    }
    const uint64_t id = next_id_++;
    listeners_[id] = {watch, std::move(changed)};
    if (!waits_) {
      wait();
    }
    return id;
  }

  void remove(uint64_t id) {
    const auto found = listeners_.find(id);
    if (found == listeners_.end()) {
      return;
    }
    const int watch = found->second.watch;
    listeners_.erase(found);
    for (const auto& [other, listener] : listeners_) {
      if (listener.watch == watch) {
        return;
      }
    }
    if (descriptor_.is_open()) {
      ::inotify_rm_watch(descriptor_.native_handle(), watch);
    }
  }

  bool knows(uint64_t id) const { return listeners_.contains(id); }

 private:
  struct Listener {
    int watch = -1;
    std::function<void()> changed;
  };

  void wait() {
    waits_ = true;
    descriptor_.async_wait(asio::posix::stream_descriptor::wait_read,
                           [self = shared_from_this()](error_code error) {
                             self->waits_ = false;
                             if (!error) {
                               self->read();
                             }
                           });
  }

  void read() {
    std::set<int> changed;
    std::set<int> gone;
    alignas(inotify_event) std::array<char, 16 * 1024> buffer{};
    bool missed = false;
    while (true) {
      const ssize_t bytes = ::read(descriptor_.native_handle(), buffer.data(), buffer.size());
      if (bytes <= 0) {
        break;
      }
      for (ssize_t at = 0; at < bytes;) {
        const auto* event = reinterpret_cast<const inotify_event*>(buffer.data() + at);
        missed = missed || (event->mask & IN_Q_OVERFLOW) != 0;
        changed.insert(event->wd);
        if ((event->mask & (IN_IGNORED | IN_MOVE_SELF)) != 0) {
          gone.insert(event->wd);
        }
        at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
      }
    }
    std::vector<std::function<void()>> calls;  // which may change the listeners
    for (auto listener = listeners_.begin(); listener != listeners_.end();) {
      if (missed || changed.contains(listener->second.watch)) {
        calls.push_back(listener->second.changed);
      }
      listener =
          gone.contains(listener->second.watch) ? listeners_.erase(listener) : std::next(listener);
    }
    for (const std::function<void()>& call : calls) {
      call();
    }
    if (descriptor_.is_open() && !waits_ && !listeners_.empty()) {
      wait();
    }
  }

  asio::posix::stream_descriptor descriptor_;
  std::map<uint64_t, Listener> listeners_;
  uint64_t next_id_ = 1;
  bool waits_ = false;
};

namespace {

class OneTicket final : public FolderWatch::Ticket {
 public:
  OneTicket(std::function<void()> end, std::function<bool()> good)
      : end_(std::move(end)),
        good_(std::move(good)) {}

  ~OneTicket() override { end_(); }

  bool good() const override { return good_(); }

 private:
  std::function<void()> end_;
  std::function<bool()> good_;
};

}  // namespace

FolderWatch::FolderWatch(asio::io_context& context)
    : impl_(std::make_shared<Impl>(context)) {}

FolderWatch::~FolderWatch() {
  impl_->stop();
}

std::unique_ptr<FolderWatch::Ticket> FolderWatch::watch(const std::string& folder,
                                                        std::function<void()> changed) {
  const uint64_t id = impl_->add(folder, std::move(changed));
  if (id == 0) {
    return nullptr;
  }
  return std::make_unique<OneTicket>([impl = impl_, id] { impl->remove(id); },
                                     [impl = impl_, id] { return impl->knows(id); });
}

}  // namespace hangu::control
