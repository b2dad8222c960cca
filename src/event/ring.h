// Ring: one io_uring instance: its two queues and the one system call. It knows nothing of sockets.
// Instead of liburing's library (2.3 in Debian 12 cannot do without the submission array) it maps
// the queues itself; liburing's header still fills in the entries.
#pragma once

#include <cstddef>
#include <cstdint>

#include "hangu/base/clock.h"
#include "hangu/base/result.h"

#include "event/io_uring_abi.h"

namespace hangu::event {

class Ring {
 public:
  Ring() = default;

  ~Ring() { close(); }

  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  /// With the best set of flags that the kernel takes. Only this thread may use the ring then.
  Result<void> open(unsigned submissions, unsigned completions);
  void close();

  /// The next free entry, for an io_uring_prep_ function; submits first when the queue is full.
  io_uring_sqe* next_entry() {
    if (local_tail_ - load(sq_head_) == sq_entries_) {
      submit();
    }
    return &entries_[local_tail_++ & sq_mask_];
  }

  void submit() { enter(0, 0, nullptr); }

  /// Negative `timeout`: until something completes; zero: what has completed.
  void submit_and_wait(Duration timeout);

  /// Calls `visit(const io_uring_cqe&)` for every completion, also for those that come meanwhile.
  template <class Visit>
  void reap(Visit visit) {
    unsigned head = *cq_head_;
    for (unsigned tail = load(cq_tail_); head != tail; tail = load(cq_tail_)) {
      while (head != tail) {
        const io_uring_cqe completion = completions_[head++ & cq_mask_];
        visit(completion);
      }
      __atomic_store_n(cq_head_, head, __ATOMIC_RELEASE);
    }
  }

  /// io_uring_register(2): not negative, or minus an errno.
  int do_register(unsigned operation, void* argument, unsigned count);

 private:
  static unsigned load(const unsigned* value) { return __atomic_load_n(value, __ATOMIC_ACQUIRE); }

  Result<void> map(const io_uring_params& params);
  void register_descriptor();
  void enter(unsigned completions_min, unsigned flags, const io_uring_getevents_arg* argument);

  int fd_ = -1;
  int enter_fd_ = -1;  // the registered index, or fd_
  unsigned enter_flags_ = 0;
  std::byte* queues_ = nullptr;
  size_t queues_bytes_ = 0;
  io_uring_sqe* entries_ = nullptr;
  unsigned sq_entries_ = 0;
  unsigned sq_mask_ = 0;
  unsigned local_tail_ = 0;
  unsigned* sq_head_ = nullptr;
  unsigned* sq_tail_ = nullptr;
  io_uring_cqe* completions_ = nullptr;
  unsigned cq_mask_ = 0;
  unsigned* cq_head_ = nullptr;
  unsigned* cq_tail_ = nullptr;
};

/// Why a set-up failed with this errno, for the operator.
const char* io_uring_refusal(int error) noexcept;

}  // namespace hangu::event
