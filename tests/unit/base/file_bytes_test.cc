#include "hangu/base/file_bytes.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <thread>

#include <gtest/gtest.h>

namespace hangu {
namespace {

class FileBytesTest : public testing::Test {
 protected:
  ~FileBytesTest() override { std::fclose(file_); }

  int fd() const { return ::fileno(file_); }

  FILE* const file_ = std::tmpfile();
};

TEST_F(FileBytesTest, WritesAndReadsAtAnyPlace) {
  EXPECT_FALSE(write_all(fd(), "one"));
  EXPECT_FALSE(write_all(fd(), ""));
  EXPECT_FALSE(write_all(fd(), " two"));
  EXPECT_FALSE(write_all_at(fd(), "ON", 0));
  EXPECT_FALSE(write_all_at(fd(), "end", 9));
  using std::string_literals::operator""s;
  EXPECT_EQ(read_at(fd(), 12, 0), "ONe two\0\0end"s);
  EXPECT_EQ(read_at(fd(), 3, 4), "two");
  EXPECT_FALSE(write_all(fd(), "!"));  // where it stood
  EXPECT_EQ(read_at(fd(), 2, 6), "o!");
}

TEST_F(FileBytesTest, ReadsWhatIsThere) {
  EXPECT_FALSE(write_all(fd(), "short"));
  EXPECT_EQ(read_at(fd(), 100, 2), "ort");
  EXPECT_EQ(read_at(fd(), 100, 50), "");
  EXPECT_EQ(read_at(-1, 100, 0), "");
}

TEST(FileBytes, WritesInAsManyStepsAsItTakes) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const std::string text(1'000'000, 'x');  // a pipe takes far less at once
  std::string got;
  std::thread reader([&] {
    char piece[7'000];
    for (ssize_t size = 0; (size = ::read(ends[0], piece, sizeof piece)) > 0;) {
      got.append(piece, static_cast<size_t>(size));
    }
  });
  EXPECT_FALSE(write_all(ends[1], text));
  ::close(ends[1]);
  reader.join();
  ::close(ends[0]);
  EXPECT_EQ(got, text);
}

TEST(FileBytes, TellsWhatWentWrong) {
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  ASSERT_GE(full, 0);
  EXPECT_EQ(write_all(full, "x"), std::errc::no_space_on_device);
  EXPECT_FALSE(write_all(full, ""));
  ::close(full);
  EXPECT_EQ(write_all_at(-1, "x", 0), std::errc::bad_file_descriptor);
}

class WholeFileTest : public testing::Test {
 protected:
  ~WholeFileTest() override { std::filesystem::remove_all(folder_); }

  std::string write(const std::string& bytes) const {
    std::ofstream(folder_ / "file", std::ios::binary) << bytes;
    return folder_ / "file";
  }

  const std::filesystem::path folder_ = [] {
    std::string name = std::filesystem::temp_directory_path() / "hangu-file-XXXXXX";
    return std::filesystem::path(::mkdtemp(name.data()));
  }();
};

TEST_F(WholeFileTest, HasAllBytes) {
  const std::string large(300'000, 'x');
  for (const std::string& bytes : {std::string(), std::string("a\0b\n", 4), large}) {
    const auto read = read_whole_file(write(bytes));
    ASSERT_TRUE(read);
    EXPECT_EQ(*read, bytes);
  }
}

TEST_F(WholeFileTest, HasWhatIsNotSaidInItsSize) {
  const auto read = read_whole_file("/proc/self/cmdline");
  ASSERT_TRUE(read);
  EXPECT_NE(read->find("test"), std::string::npos);

  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  std::thread writer([&] {
    EXPECT_FALSE(write_all(ends[1], std::string(200'000, 'p')));
    ::close(ends[1]);
  });
  const auto piped = read_whole_file("/dev/fd/" + std::to_string(ends[0]));
  writer.join();
  ::close(ends[0]);
  ASSERT_TRUE(piped);
  EXPECT_EQ(*piped, std::string(200'000, 'p'));
}

TEST_F(WholeFileTest, SaysWhyNot) {
  EXPECT_EQ(read_whole_file(folder_ / "none").error(), std::errc::no_such_file_or_directory);
  EXPECT_EQ(read_whole_file(folder_).error(), std::errc::is_a_directory);
  EXPECT_EQ(read_whole_file(write("text") + "/x").error(), std::errc::not_a_directory);
}

TEST_F(WholeFileTest, HasALimit) {
  const std::string path = write("12345");
  ASSERT_TRUE(read_whole_file(path, 5));
  EXPECT_EQ(*read_whole_file(path, 5), "12345");
  EXPECT_EQ(read_whole_file(path, 4).error(), std::errc::file_too_large);
  EXPECT_EQ(read_whole_file("/dev/zero", 1'000'000).error(), std::errc::file_too_large);
}

}  // namespace
}  // namespace hangu
