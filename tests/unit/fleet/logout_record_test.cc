#include "hangu/fleet/logout_record.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace hangu::fleet {
namespace {

using identity::LogoutEntry;

TEST(LogoutRecordTest, IsReadAsItWasWritten) {
  LogoutEntry entry{.kind = LogoutEntry::Kind::kSessions,
                    .scope = {1, 2},
                    .digest = {0xab, 3},
                    .at_s = 1'700'000'000,
                    .until_s = 1'700'003'600};
  EXPECT_EQ(logout_name(entry), "ab03" + std::string(60, '0') + "/1700000000");
  EXPECT_EQ(logout_value(entry), "sessions 0102" + std::string(60, '0') + " 1700003600");
  EXPECT_EQ(read_logout(logout_name(entry), logout_value(entry)), entry);
  entry.kind = LogoutEntry::Kind::kToken;
  EXPECT_EQ(read_logout(logout_name(entry), logout_value(entry)), entry);
}

TEST(LogoutRecordTest, RefusesWhatIsNothingOfTheKind) {
  const std::string digest(64, '0');
  const std::string name = digest + "/5";
  const std::string value = "sessions " + digest + " 9";
  EXPECT_TRUE(read_logout(name, value));
  const std::vector<std::string> names = {
      "", digest, digest + "/", digest + "/-5", digest + "/5x", "0/5", "/" + name};
  for (const std::string& wrong : names) {
    EXPECT_FALSE(read_logout(wrong, value)) << wrong;
  }
  const std::vector<std::string> values = {
      "", "sessions", "session" + value, "sessions 00 9", value + " 9", "sessions " + digest};
  for (const std::string& wrong : values) {
    EXPECT_FALSE(read_logout(name, wrong)) << wrong;
  }
}

}  // namespace
}  // namespace hangu::fleet
