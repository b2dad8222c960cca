#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <tuple>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>

#include "hangu/config/endpoint_file.h"
#include "hangu/control/loader.h"

#include "control/folder_watch.h"
#include "control/instance_source.h"

namespace hangu::control {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

// Where the folder cannot be watched, or the file is a link to another one's.
constexpr Duration kLookInterval = std::chrono::seconds(5);

/// What tells a file from the one before it; empty: there is none.
using Signature = std::tuple<dev_t, ino_t, off_t, int64_t, int64_t, int64_t>;

Signature signature_of(const std::string& path) {
  struct stat found {};

  if (::stat(path.c_str(), &found) != 0) {
    return {};
  }
  return {found.st_dev,         found.st_ino,          found.st_size,
          found.st_mtim.tv_sec, found.st_mtim.tv_nsec, found.st_ctim.tv_nsec};
}

/// "/etc/x.yaml:3:5: error[E0117]: …", the first of them.
std::string summary_of(const std::vector<config::Diagnostic>& problems) {
  std::string text;
  size_t errors = 0;
  for (const config::Diagnostic& each : problems) {
    if (each.severity != config::Severity::kError || errors++ != 0) {
      continue;
    }
    text = each.line == 0
               ? fmt::format("{}: {}", each.file, each.message)
               : fmt::format("{}:{}:{}: {}", each.file, each.line, each.column, each.message);
  }
  return errors > 1 ? fmt::format("{} (and {} more)", text, errors - 1) : text;
}

FoundInstances read(const std::string& path) {
  config::EndpointFile file = config::load_endpoint_file(path);
  FoundInstances found;
  found.error = summary_of(file.problems);
  found.instances = std::move(file.instances);
  return found;
}

class FileWatcher final : public std::enable_shared_from_this<FileWatcher> {
 public:
  FileWatcher(asio::io_context& context, FileSourceOptions options, InstanceSource::Sink sink)
      : options_(std::move(options)),
        sink_(std::move(sink)),
        timer_(context) {}

  void start() {
    const auto self = shared_from_this();  // who hears of the file may end this
    seen_ = signature_of(options_.path);
    follow_folder();
    look_again();
    read_file();
  }

  void stop() {
    stopped_ = true;
    ticket_.reset();
    timer_.cancel();
  }

 private:
  void follow_folder() {
    if (ticket_ != nullptr && ticket_->good()) {
      return;
    }
    const std::string folder = std::filesystem::path(options_.path).parent_path().string();
    ticket_ = options_.watch->watch(folder.empty() ? "." : folder, [weak = weak_from_this()] {
      if (const auto self = weak.lock()) {
        self->look();
      }
    });
  }

  void look() {
    const Signature now = signature_of(options_.path);
    if (!stopped_ && now != seen_) {
      seen_ = now;
      read_file();
    }
  }

  void look_again() {
    timer_.expires_after(kLookInterval);
    timer_.async_wait([weak = weak_from_this()](error_code error) {
      const auto self = weak.lock();
      if (!error && self != nullptr && !self->stopped_) {
        self->follow_folder();
        self->look();
        self->look_again();
      }
    });
  }

  void read_file() {
    if (options_.loader == nullptr) {
      sink_(read(options_.path));
      return;
    }
    options_.loader->run([path = options_.path] { return read(path); },
                         [weak = weak_from_this()](FoundInstances found) {
                           if (const auto self = weak.lock(); self && !self->stopped_) {
                             self->sink_(std::move(found));
                           }
                         });
  }

  FileSourceOptions options_;
  InstanceSource::Sink sink_;
  asio::steady_timer timer_;
  std::unique_ptr<FolderWatch::Ticket> ticket_;
  Signature seen_;
  bool stopped_ = false;
};

class FileSource final : public InstanceSource {
 public:
  explicit FileSource(std::shared_ptr<FileWatcher> watcher)
      : watcher_(std::move(watcher)) {}

  ~FileSource() override { watcher_->stop(); }

  void start() override { watcher_->start(); }

 private:
  std::shared_ptr<FileWatcher> watcher_;
};

}  // namespace

std::unique_ptr<InstanceSource> make_file_source(asio::io_context& context,
                                                 FileSourceOptions options,
                                                 InstanceSource::Sink sink) {
  return std::make_unique<FileSource>(
      std::make_shared<FileWatcher>(context, std::move(options), std::move(sink)));
}

}  // namespace hangu::control
