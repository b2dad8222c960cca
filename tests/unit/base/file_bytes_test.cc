#include "hangu/base/file_bytes.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
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

}  // namespace
}  // namespace hangu
