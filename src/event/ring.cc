#include "event/ring.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

namespace hangu::event {
namespace {

// Best first; each is the next older kernel's.
constexpr unsigned kFlagSets[] = {
    IORING_SETUP_CQSIZE | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_SINGLE_ISSUER |
        IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_NO_SQARRAY,
    IORING_SETUP_CQSIZE | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_SINGLE_ISSUER |
        IORING_SETUP_DEFER_TASKRUN,
    IORING_SETUP_CQSIZE | IORING_SETUP_SUBMIT_ALL,
};

constexpr unsigned kNeededFeatures =
    IORING_FEAT_SINGLE_MMAP | IORING_FEAT_NODROP | IORING_FEAT_EXT_ARG;

int do_setup(unsigned submissions, io_uring_params& params) {
  const long fd = syscall(__NR_io_uring_setup, submissions, &params);
  return static_cast<int>(fd < 0 ? -errno : fd);
}

}  // namespace

const char* io_uring_refusal(int error) noexcept {
  switch (error) {
    case EPERM: return "io_uring is forbidden (kernel.io_uring_disabled or seccomp)";
    case ENOSYS: return "io_uring is not in this kernel, or blocked by seccomp";
    case ENOMEM: return "io_uring has no memory (RLIMIT_MEMLOCK)";
    case EINVAL: return "io_uring is too old in this kernel";
    default: return "io_uring set-up failed";
  }
}

Result<void> Ring::open(unsigned submissions, unsigned completions) {
  io_uring_params params{};
  for (const unsigned flags : kFlagSets) {
    params = {};
    params.flags = flags;
    params.cq_entries = completions;
    fd_ = do_setup(submissions, params);
    if (fd_ != -EINVAL) {
      break;
    }
  }
  if (fd_ < 0) {
    const int error = -fd_;
    fd_ = -1;
    return fail(internal_error(Errc::kSystem, io_uring_refusal(error), error));
  }
  if ((params.features & kNeededFeatures) != kNeededFeatures) {
    return fail(internal_error(Errc::kSystem, io_uring_refusal(EINVAL), EINVAL));
  }
  if (auto mapped = map(params); !mapped) {
    return mapped;
  }
  enter_fd_ = fd_;
  register_descriptor();
  return {};
}

Result<void> Ring::map(const io_uring_params& params) {
  const bool with_array = (params.flags & IORING_SETUP_NO_SQARRAY) == 0;
  queues_bytes_ = params.cq_off.cqes + params.cq_entries * sizeof(io_uring_cqe);
  if (with_array) {
    queues_bytes_ =
        std::max(queues_bytes_, params.sq_off.array + params.sq_entries * sizeof(unsigned));
  }
  void* queues = mmap(nullptr, queues_bytes_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
                      fd_, IORING_OFF_SQ_RING);
  if (queues == MAP_FAILED) {
    return fail(internal_error(Errc::kSystem, "no memory for the io_uring queues", errno));
  }
  queues_ = static_cast<std::byte*>(queues);
  sq_entries_ = params.sq_entries;
  void* entries = mmap(nullptr, sq_entries_ * sizeof(io_uring_sqe), PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_POPULATE, fd_, static_cast<off_t>(IORING_OFF_SQES));
  if (entries == MAP_FAILED) {
    return fail(internal_error(Errc::kSystem, "no memory for the io_uring entries", errno));
  }
  entries_ = static_cast<io_uring_sqe*>(entries);
  const auto word = [this](unsigned offset) {
    return reinterpret_cast<unsigned*>(queues_ + offset);
  };
  sq_head_ = word(params.sq_off.head);
  sq_tail_ = word(params.sq_off.tail);
  sq_mask_ = *word(params.sq_off.ring_mask);
  cq_head_ = word(params.cq_off.head);
  cq_tail_ = word(params.cq_off.tail);
  cq_mask_ = *word(params.cq_off.ring_mask);
  completions_ = reinterpret_cast<io_uring_cqe*>(queues_ + params.cq_off.cqes);
  if (with_array) {  // entries are used in order: the array never changes
    for (unsigned i = 0; i < sq_entries_; ++i) {
      word(params.sq_off.array)[i] = i;
    }
  }
  return {};
}

/// Saves looking the descriptor up with every call; a gain where the kernel has it.
void Ring::register_descriptor() {
  io_uring_rsrc_update update{};
  update.offset = UINT32_MAX;  // any
  update.data = static_cast<uint64_t>(fd_);
  if (do_register(IORING_REGISTER_RING_FDS, &update, 1) == 1) {
    enter_fd_ = static_cast<int>(update.offset);
    enter_flags_ = IORING_ENTER_REGISTERED_RING;
  }
}

void Ring::close() {
  if (enter_flags_ != 0) {
    io_uring_rsrc_update update{};
    update.offset = static_cast<uint32_t>(enter_fd_);
    do_register(IORING_UNREGISTER_RING_FDS, &update, 1);
    enter_flags_ = 0;
  }
  if (entries_ != nullptr) {
    munmap(entries_, sq_entries_ * sizeof(io_uring_sqe));
    entries_ = nullptr;
  }
  if (queues_ != nullptr) {
    munmap(queues_, queues_bytes_);
    queues_ = nullptr;
  }
  if (fd_ >= 0) {
    ::close(fd_);
    fd_ = -1;
  }
}

int Ring::do_register(unsigned operation, void* argument, unsigned count) {
  const long result = syscall(__NR_io_uring_register, fd_, operation, argument, count);
  return static_cast<int>(result < 0 ? -errno : result);
}

void Ring::submit_and_wait(Duration timeout) {
  if (timeout == Duration::zero()) {
    enter(0, IORING_ENTER_GETEVENTS, nullptr);
    return;
  }
  __kernel_timespec limit{};
  io_uring_getevents_arg argument{};
  argument.sigmask_sz = _NSIG / 8;
  if (timeout > Duration::zero()) {
    limit.tv_sec = timeout.count() / 1'000'000'000;
    limit.tv_nsec = timeout.count() % 1'000'000'000;
    argument.ts = reinterpret_cast<uint64_t>(&limit);
  }
  enter(1, IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG, &argument);
}

/// Failures need no handling here: after a signal, a timeout or a lack of memory (EINTR, ETIME,
/// EAGAIN, EBUSY) the entries that the kernel has not taken are still in the queue for the next
/// call.
void Ring::enter(unsigned completions_min, unsigned flags, const io_uring_getevents_arg* argument) {
  __atomic_store_n(sq_tail_, local_tail_, __ATOMIC_RELEASE);
  const unsigned submissions = local_tail_ - load(sq_head_);
  syscall(__NR_io_uring_enter, enter_fd_, submissions, completions_min, flags | enter_flags_,
          argument, argument != nullptr ? sizeof *argument : 0);
}

}  // namespace hangu::event
