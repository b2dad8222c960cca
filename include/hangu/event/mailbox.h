// Mailbox: how other threads hand work to a shard. Any thread posts; the loop's thread runs the
// tasks in order, once a turn. Cold path: a mutex and a system call to wake the loop are fine.
#pragma once

#include <atomic>
#include <mutex>
#include <vector>

#include "hangu/event/task.h"

namespace hangu::event {

class Mailbox {
 public:
  Mailbox();
  ~Mailbox();

  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  /// Any thread.
  void post(Task task);
  /// Makes the loop take a turn. Any thread, signal-safe.
  void wake() noexcept;

  // The loop's thread.
  /// An eventfd, readable after wake(); the loop's backend empties it.
  int wake_fd() const { return wake_fd_; }

  /// Runs everything posted so far; costs one load when there is nothing.
  void run_all() {
    if (has_mail_.load(std::memory_order_acquire)) {
      run_posted();
    }
  }

 private:
  void run_posted();

  int wake_fd_;
  std::atomic<bool> has_mail_{false};
  std::mutex mutex_;
  std::vector<Task> posted_;
};

}  // namespace hangu::event
