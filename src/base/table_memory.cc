#include "hangu/base/table_memory.h"

#include <sys/mman.h>

#include <memory>
#include <new>

#include "hangu/base/sanitizer.h"

namespace hangu {
namespace {

constexpr size_t kLargePage = size_t{2} * 1024 * 1024;
constexpr size_t kBlocksPerChunkMax = 64 * 1024;
constexpr size_t kLargestBlock = 16 * 1024;

/// What is as large as a large page lies on them, if the system has any to give.
class LargePages final : public std::pmr::memory_resource {
  void* do_allocate(size_t bytes, size_t alignment) override {
    void* const memory = ::operator new(bytes, alignment_of(bytes, alignment));
    if (bytes >= kLargePage) {
      static_cast<void>(::madvise(memory, bytes, MADV_HUGEPAGE));
    }
    return memory;
  }

  void do_deallocate(void* memory, size_t bytes, size_t alignment) override {
    ::operator delete(memory, alignment_of(bytes, alignment));
  }

  static std::align_val_t alignment_of(size_t bytes, size_t alignment) {
    return std::align_val_t{bytes < kLargePage ? alignment : kLargePage};
  }

  bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }
};

}  // namespace

std::pmr::memory_resource& table_memory() {
  if constexpr (HANGU_ASAN == 1) {
    return *std::pmr::new_delete_resource();  // or it would not see who uses what was given back
  }
  // Never destroyed: parts may outlive everything that is static.
  static auto* const pages = std::make_unique<LargePages>().release();
  static auto* const pool = std::make_unique<std::pmr::synchronized_pool_resource>(
                                std::pmr::pool_options{kBlocksPerChunkMax, kLargestBlock}, pages)
                                .release();
  return *pool;
}

}  // namespace hangu
