#include "hangu/audit/archiver.h"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "hangu/base/log.h"
#include "hangu/base/signal_mask.h"

namespace hangu::audit {
namespace {

constexpr Duration kIntervalMin = std::chrono::milliseconds(100);
constexpr Duration kIntervalMax = std::chrono::minutes(1);
constexpr int kNice = 19;

}  // namespace

Archiver::Archiver(ArchiverOptions options)
    : options_(std::move(options)) {}

Archiver::~Archiver() {
  stop();
}

void Archiver::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wanted_.notify_one();
  if (thread_.joinable()) {
    thread_.join();
  }
}

void Archiver::start() {
  stopping_ = false;
  thread_ = std::thread([this] { run(); });
}

void Archiver::wake() {
  {
    const std::lock_guard lock(mutex_);
    woken_ = true;
  }
  wanted_.notify_one();
}

std::vector<ArchivedFile> Archiver::take_expired() {
  const std::lock_guard lock(mutex_);
  return std::exchange(expired_, {});
}

Duration Archiver::interval() const {
  const Duration tenth = options_.retention / 10;
  return tenth == Duration::zero() ? kIntervalMax : std::clamp(tenth, kIntervalMin, kIntervalMax);
}

void Archiver::run() {
  pthread_setname_np(pthread_self(), "hangu-archive");
  block_asynchronous_signals();
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kNice);
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    woken_ = false;
    lock.unlock();
    turn();
    lock.lock();
    wanted_.wait_for(lock, interval(), [this] { return stopping_ || woken_; });
  }
}

void Archiver::turn() {
  const std::vector<ArchivedFile> files = archived_files(options_.path);
  const WallTime now = std::chrono::system_clock::now();
  std::vector<ArchivedFile> expired;
  for (const ArchivedFile& file : expired_files(files, now, options_.retention)) {
    if (named_.insert(file.path).second) {
      expired.push_back(file);
    }
  }
  {
    const std::lock_guard lock(mutex_);
    expired_.insert(expired_.end(), expired.begin(), expired.end());
  }
  for (const ArchivedFile& file : files) {
    const bool wanted = options_.compress && !file.packed && !named_.contains(file.path);
    if (!wanted || broken_.contains(file.path)) {
      continue;
    }
    const auto packed = pack_file(file.path, &stopping_);
    if (stopping_) {
      return;
    }
    if (!packed) {
      log::error("event=audit_pack_failed error=\"{}\"", packed.error());
      broken_.insert(file.path);
    }
  }
}

}  // namespace hangu::audit
