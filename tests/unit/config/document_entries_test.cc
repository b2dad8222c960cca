// DocumentEntries: what is known of all documents agrees with the documents.
#include "config/document_entries.h"

#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hangu::config {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::string digest_of(std::string_view text) {
  return fmt::format("{:016x}", std::hash<std::string_view>()(text));
}

void take(DocumentEntries& entries, const std::string& key, const std::string& text) {
  entries.edit(key, [&text](DocumentEntry& entry) {
    entry.text = text;
    entry.is_pending = false;
  });
}

TEST(DocumentEntries, CountsAndListsWhatItHolds) {
  DocumentEntries entries(digest_of);
  take(entries, "routes/a", "1");
  entries.edit("routes/b", [](DocumentEntry& entry) {
    entry.wanted = "2";
    entry.is_pending = true;
  });
  EXPECT_EQ(entries.in_force(), 1U);
  EXPECT_THAT(entries.pending(), ElementsAre("routes/b"));
  take(entries, "routes/b", "2");
  EXPECT_EQ(entries.in_force(), 2U);
  EXPECT_THAT(entries.pending(), IsEmpty());
  entries.erase("routes/a");
  EXPECT_EQ(entries.in_force(), 1U);
  EXPECT_EQ(entries.find("routes/a"), nullptr);
  EXPECT_EQ(entries.digest_of("routes/a"), "");
}

TEST(DocumentEntries, DigestIsOfTheContentWhateverTheWayToIt) {
  DocumentEntries there(digest_of);
  DocumentEntries here(digest_of);
  EXPECT_EQ(here.digest("file"), digest_of("file"));
  constexpr int kCount = 1000;
  for (int i = 0; i < kCount; ++i) {
    take(there, fmt::format("routes/{}", i), fmt::format("text {}", i));
  }
  const std::string digest = there.digest("file");
  for (int i = kCount - 1; i >= 0; --i) {
    take(here, fmt::format("routes/{}", i), "another text");
    take(here, fmt::format("routes/{}", i + kCount), "one more");
  }
  EXPECT_NE(here.digest("file"), digest);
  for (int i = 0; i < kCount; ++i) {
    here.erase(fmt::format("routes/{}", i + kCount));
    take(here, fmt::format("routes/{}", i), fmt::format("text {}", i));
  }
  EXPECT_EQ(here.digest("file"), digest);
  EXPECT_NE(here.digest("other file"), digest);
  take(here, "routes/7", "text 8");
  EXPECT_NE(here.digest("file"), digest);
  const DocumentEntries copy = here;
  take(here, "routes/7", "text 7");
  EXPECT_EQ(here.digest("file"), digest);
  EXPECT_EQ(copy.at("routes/7").text, "text 8");
}

TEST(DocumentEntries, GoesWithoutDigests) {
  DocumentEntries entries(nullptr);
  take(entries, "routes/a", "1");
  EXPECT_EQ(entries.digest("file"), "");
  EXPECT_EQ(entries.digest_of("routes/a"), "");
}

}  // namespace
}  // namespace hangu::config
