#include "hangu/audit/frame_table.h"

#include <fcntl.h>
#include <unistd.h>

#include <string>

#include "tests/unit/audit/audit_folder.h"

namespace hangu::audit {
namespace {

class FrameTableTest : public AuditFolder {
 protected:
  /// What is read of a file with these bytes.
  std::optional<FrameSizes> read(const std::string& bytes) {
    std::ofstream(path(), std::ios::binary | std::ios::trunc) << bytes;
    const int fd = ::open(path().c_str(), O_RDONLY | O_CLOEXEC);
    auto sizes = read_frame_table(fd, bytes.size());
    ::close(fd);
    return sizes;
  }
};

TEST_F(FrameTableTest, IsReadAsItWasWritten) {
  const FrameSizes sizes = {3, 70'000, 1};
  EXPECT_EQ(read(std::string(70'004, 'x') + frame_table(sizes)), sizes);
  EXPECT_EQ(read(frame_table({})), FrameSizes());
}

TEST_F(FrameTableTest, OneThatCannotBeRightIsNone) {
  const FrameSizes sizes = {300, 200};
  const std::string frames(500, 'x');
  const std::string table = frame_table(sizes);
  ASSERT_TRUE(read(frames + table).has_value());
  EXPECT_FALSE(read("").has_value());
  EXPECT_FALSE(read(frames).has_value());
  EXPECT_FALSE(read(frames + "x" + table).has_value());      // a byte that no frame has
  EXPECT_FALSE(read(frames.substr(1) + table).has_value());  // one that is not there
  EXPECT_FALSE(read(frames + table + "x").has_value());
  for (size_t i = 0; i < table.size(); ++i) {
    std::string other = table;
    other[i] = static_cast<char>(other[i] ^ 0x40);
    EXPECT_FALSE(read(frames + other).has_value()) << i;
    EXPECT_FALSE(read(frames + table.substr(i + 1)).has_value()) << i;
  }
}

}  // namespace
}  // namespace hangu::audit
