#include "hangu/audit/written_pages.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace hangu::audit {
namespace {

using std::chrono_literals::operator""s;

constexpr size_t kMiB = 1024 * 1024;

class WrittenPagesTest : public testing::Test {
 protected:
  WrittenPagesTest()
      : path_((std::filesystem::temp_directory_path() / "hangu-pages-XXXXXX").string()),
        fd_(::mkstemp(path_.data())) {}

  ~WrittenPagesTest() override {
    ::close(fd_);
    ::unlink(path_.c_str());
  }

  void write(size_t bytes, WrittenPages& pages) {
    const std::string text(std::min(bytes, kMiB), 'x');
    for (size_t done = 0; done < bytes; done += text.size()) {
      ASSERT_EQ(::write(fd_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
      size_ += text.size();
      pages.wrote(text.size());
    }
  }

  /// How many bytes from `from` on are in memory.
  size_t in_memory(size_t from, size_t bytes) {
    const auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
    void* const map = ::mmap(nullptr, bytes, PROT_READ, MAP_SHARED, fd_, static_cast<off_t>(from));
    EXPECT_NE(map, MAP_FAILED);
    std::vector<unsigned char> there(bytes / page);
    EXPECT_EQ(::mincore(map, bytes, there.data()), 0);
    ::munmap(map, bytes);
    return page * static_cast<size_t>(std::count_if(there.begin(), there.end(),
                                                    [](auto byte) { return (byte & 1) != 0; }));
  }

  /// Whether files here are on a disk at all.
  bool on_disk() const {
    constexpr long kTmpfs = 0x01021994;

    struct statfs status {};

    return ::fstatfs(fd_, &status) == 0 && status.f_type != kTmpfs;
  }

  std::string path_;
  int fd_;
  size_t size_ = 0;
};

TEST_F(WrittenPagesTest, OldPagesAreGivenBackAndNewOnesKept) {
  if (!on_disk()) {
    GTEST_SKIP() << "files here are memory";
  }
  WrittenPages pages;
  pages.begin(fd_);
  write(48 * kMiB, pages);
  const auto deadline = std::chrono::steady_clock::now() + 60s;
  while (in_memory(0, 8 * kMiB) != 0 && std::chrono::steady_clock::now() < deadline &&
         size_ < 200 * kMiB) {
    ::fdatasync(fd_);  // a slow disk: they can be given back in the next step
    write(4 * kMiB, pages);
  }
  EXPECT_EQ(in_memory(0, 8 * kMiB), 0U);
  EXPECT_GT(in_memory(size_ - 16 * kMiB, 16 * kMiB), 0U);
}

TEST_F(WrittenPagesTest, WhatIsNoFileIsLeftAlone) {
  if (!on_disk()) {
    GTEST_SKIP() << "files here are memory";
  }
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  WrittenPages pages;
  pages.begin(fd_);
  write(16 * kMiB, pages);
  ::fdatasync(fd_);
  const size_t before = in_memory(0, 16 * kMiB);
  // What goes elsewhere from now on counts for nothing of the file before.
  pages.begin(ends[1]);
  pages.wrote(100 * kMiB);
  pages.begin(-1);
  pages.wrote(100 * kMiB);
  EXPECT_EQ(in_memory(0, 16 * kMiB), before);
  EXPECT_GT(before, 0U);
  ::close(ends[0]);
  ::close(ends[1]);
}

}  // namespace
}  // namespace hangu::audit
