#include "hangu/audit/log_writer.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace hangu::audit {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

bool eventually(const std::function<bool()>& holds) {
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > deadline) {
      return false;
    }
    std::this_thread::sleep_for(2ms);
  }
  return true;
}

std::string content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    lines.push_back(line);
  }
  return lines;
}

class LogWriterTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "hangu-log-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    directory_ = name;
    path_ = directory_ + "/access.log";
  }

  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::unique_ptr<LogWriter> start(uint32_t shards = 1, size_t ring_bytes = 64 * 1024) {
    auto writer = std::make_unique<LogWriter>(
        LogWriterOptions{.path = path_, .shards = shards, .ring_bytes = ring_bytes});
    EXPECT_TRUE(writer->start());
    return writer;
  }

  std::string directory_;
  std::string path_;
};

/// No file grows beyond `bytes` while this lives: a full disk, as the writer sees it.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    old_handler_ = std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &old_);
    const rlimit wanted{.rlim_cur = bytes, .rlim_max = old_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &wanted);
  }

  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &old_);
    std::signal(SIGXFSZ, old_handler_);
  }

  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit old_{};
  void (*old_handler_)(int) = SIG_DFL;
};

TEST_F(LogWriterTest, WritesWithoutBeingAsked) {
  const auto writer = start();
  EXPECT_TRUE(writer->append(0, "one\n"));
  EXPECT_TRUE(writer->append(0, "two\n"));
  EXPECT_TRUE(eventually([&] { return content(path_) == "one\ntwo\n"; }));
  EXPECT_TRUE(eventually([&] { return writer->written() == 2; }));
  EXPECT_EQ(writer->dropped(), 0U);
  EXPECT_EQ(writer->write_errors(), 0U);
}

TEST_F(LogWriterTest, WritesEverythingBeforeItEnds) {
  {
    const auto writer = start(2);
    for (int i = 0; i < 100; ++i) {
      EXPECT_TRUE(writer->append(static_cast<uint32_t>(i % 2), std::to_string(i) + '\n'));
    }
  }
  EXPECT_EQ(lines_of(content(path_)).size(), 100U);
}

TEST_F(LogWriterTest, AppendsToWhatIsThereAndKeepsTheFilePrivate) {
  start()->append(0, "first\n");
  start()->append(0, "second\n");
  EXPECT_EQ(content(path_), "first\nsecond\n");

  struct stat status {};

  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U & ~0640U, 0U);
}

TEST_F(LogWriterTest, SaysWhenTheFileCannotBeOpened) {
  LogWriter writer({.path = directory_ + "/none/access.log"});
  const auto started = writer.start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().sys_errno, ENOENT);
}

TEST_F(LogWriterTest, APipeWithoutReaderDoesNotHoldUpTheStart) {
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  LogWriter writer({.path = path_});
  EXPECT_FALSE(writer.start());
}

TEST_F(LogWriterTest, DropsAndCountsWhatFindsNoRoom) {
  LogWriter writer({.path = path_, .shards = 2, .ring_bytes = 4096});  // nobody drains it
  const std::string record = std::string(1999, 'x') + '\n';
  EXPECT_TRUE(writer.append(0, record));
  EXPECT_TRUE(writer.append(0, record));
  EXPECT_FALSE(writer.append(0, record));
  EXPECT_FALSE(writer.append(0, record));
  EXPECT_TRUE(writer.append(1, record));  // the other shard has a ring of its own
  EXPECT_EQ(writer.dropped(), 2U);
}

TEST_F(LogWriterTest, KeepsTheOrderOfAShardAndItsLinesWhole) {
  constexpr int kRecords = 5'000;
  {
    const auto writer = start(3, 4096);
    std::vector<std::thread> producers;
    for (uint32_t shard = 0; shard < 3; ++shard) {
      producers.emplace_back([&writer, shard] {
        for (int i = 0; i < kRecords; ++i) {
          const std::string record = std::to_string(shard) + ' ' + std::to_string(i) + '\n';
          while (!writer->append(shard, record)) {
            std::this_thread::yield();
          }
        }
      });
    }
    for (std::thread& producer : producers) {
      producer.join();
    }
  }
  std::vector<int> next(3, 0);
  for (const std::string& line : lines_of(content(path_))) {
    std::istringstream in(line);
    size_t shard = 9;
    int number = -1;
    ASSERT_TRUE(in >> shard >> number && shard < 3) << line;
    ASSERT_EQ(number, next[shard]++) << line;
  }
  EXPECT_EQ(next, (std::vector<int>{kRecords, kRecords, kRecords}));
}

TEST_F(LogWriterTest, ReopensAfterARotation) {
  const auto writer = start();
  writer->append(0, "before\n");
  ASSERT_TRUE(eventually([&] { return content(path_) == "before\n"; }));
  std::filesystem::rename(path_, path_ + ".1");
  writer->append(0, "still old\n");
  writer->reopen();
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(path_); }));
  writer->append(0, "after\n");
  EXPECT_TRUE(eventually([&] { return content(path_) == "after\n"; }));
  EXPECT_EQ(content(path_ + ".1"), "before\nstill old\n");
}

TEST_F(LogWriterTest, KeepsTheOldFileWhenTheNewOneCannotBeOpened) {
  const auto writer = start();
  const std::string moved = directory_ + ".moved";
  std::filesystem::rename(directory_, moved);
  writer->reopen();
  writer->append(0, "kept\n");
  EXPECT_TRUE(eventually([&] { return content(moved + "/access.log") == "kept\n"; }));
  std::filesystem::rename(moved, directory_);
}

TEST_F(LogWriterTest, AFullDiskDelaysRecords) {
  const auto writer = start(2);
  const std::string a = std::string(1999, 'a') + '\n';
  const std::string b = std::string(1999, 'b') + '\n';
  {
    const FileSizeLimit limit(3000);
    writer->append(0, a + a);  // half of the second fits
    writer->append(1, b);
    ASSERT_TRUE(eventually([&] { return writer->write_errors() >= 2; }));
    EXPECT_EQ(content(path_).size() % 2000, 1000U);
  }
  ASSERT_TRUE(eventually([&] { return writer->written() == 3; }));
  for (const std::string& line : lines_of(content(path_))) {
    EXPECT_TRUE(line + '\n' == a || line + '\n' == b) << line.substr(0, 20);
  }
  EXPECT_EQ(writer->dropped(), 0U);
}

TEST_F(LogWriterTest, ANewFileDoesNotBeginWithHalfALine) {
  const auto writer = start();
  const FileSizeLimit limit(3000);
  writer->append(0, std::string(3999, 'a') + '\n');
  ASSERT_TRUE(eventually([&] { return writer->write_errors() >= 1; }));
  std::filesystem::rename(path_, path_ + ".1");
  writer->append(0, "whole\n");
  writer->reopen();
  EXPECT_TRUE(eventually([&] { return content(path_).ends_with("whole\n"); }));
  EXPECT_EQ(content(path_), "whole\n");
  EXPECT_EQ(writer->dropped(), 1U);  // the one that was cut in two
}

/// A reader of a pipe that is so slow that the writer gives up waiting in the middle of a line.
TEST_F(LogWriterTest, ASlowReaderGetsWholeLines) {
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  const int reader = ::open(path_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  ASSERT_GE(reader, 0);
  ASSERT_EQ(::fcntl(reader, F_SETPIPE_SZ, 4096), 4096);
  auto writer = start(2);
  const std::vector<std::string> records = {std::string(10'000, 'a'), std::string(10'000, 'b')};
  writer->append(0, records[0] + '\n');
  writer->append(1, records[1] + '\n');
  std::string text;
  std::vector<char> page(4096);
  while (text.size() < 20'002) {
    std::this_thread::sleep_for(270ms);  // not to wait for something, but to be slow
    pollfd readable{.fd = reader, .events = POLLIN, .revents = 0};
    ASSERT_EQ(::poll(&readable, 1, 10'000), 1);
    const ssize_t size = ::read(reader, page.data(), page.size());
    ASSERT_GT(size, 0);
    text.append(page.data(), static_cast<size_t>(size));
  }
  EXPECT_TRUE(lines_of(text) == records);
  ::close(reader);
}

/// Megabytes are left, and the reader goes on taking a page now and then.
TEST_F(LogWriterTest, ASlowReaderDoesNotHoldUpTheEnd) {
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  const int reader = ::open(path_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  ASSERT_GE(reader, 0);
  ASSERT_EQ(::fcntl(reader, F_SETPIPE_SZ, 4096), 4096);
  auto writer = start(1, 1024 * 1024);
  for (int i = 0; i < 250; ++i) {
    ASSERT_TRUE(writer->append(0, std::string(3999, 'x') + '\n'));
  }
  std::atomic<bool> ended{false};
  std::thread slow([&] {
    std::vector<char> page(4096);
    while (!ended) {
      std::this_thread::sleep_for(100ms);
      static_cast<void>(!::read(reader, page.data(), page.size()));
    }
  });
  const auto begin = std::chrono::steady_clock::now();
  writer.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 8s);  // all of it would take 25 s
  ended = true;
  slow.join();
  ::close(reader);
}

/// In a process of its own, since a signal would end it and the processor time is counted.
TEST_F(LogWriterTest, AClosedPipeNeitherKillsNorSpins) {
  const pid_t child = ::fork();
  if (child == 0) {
    std::signal(SIGPIPE, SIG_DFL);
    ::mkfifo(path_.c_str(), 0600);
    const int reader = ::open(path_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    {
      LogWriter writer({.path = path_, .ring_bytes = 4096});
      const bool started = writer.start().has_value();
      ::close(reader);
      writer.append(0, "lost\n");
      const bool failed = eventually([&] { return writer.write_errors() >= 1; });
      if (!started || !failed) {
        ::_exit(1);
      }
    }  // tries for two seconds
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    const long ms = (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000 +
                    (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1000;
    ::_exit(ms < 800 ? 0 : 2);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_F(LogWriterTest, DashIsStandardOutput) {
  testing::internal::CaptureStdout();
  {
    LogWriter writer({.path = "-"});
    ASSERT_TRUE(writer.start());
    writer.append(0, "to standard output\n");
    writer.reopen();
  }
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "to standard output\n");
  EXPECT_GE(::fcntl(STDOUT_FILENO, F_GETFD), 0);  // still open
}

}  // namespace
}  // namespace hangu::audit
