#include "hangu/event/mailbox.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>

#include "hangu/base/assert.h"

namespace hangu::event {

Mailbox::Mailbox()
    : wake_fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  HANGU_ASSERT(wake_fd_ >= 0);
}

Mailbox::~Mailbox() {
  ::close(wake_fd_);
}

void Mailbox::post(Task task) {
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    first = posted_.empty();
    posted_.push_back(std::move(task));
    has_mail_.store(true, std::memory_order_release);
  }
  if (first) {  // else the wake-up for the first is under way
    wake();
  }
}

void Mailbox::wake() noexcept {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake_fd_, &one, sizeof one);
}

void Mailbox::run_posted() {
  std::vector<Task> tasks;
  {
    const std::lock_guard lock(mutex_);
    tasks.swap(posted_);
    has_mail_.store(false, std::memory_order_release);
  }
  for (Task& task : tasks) {
    task();
  }
}

}  // namespace hangu::event
