// docs/config.md and config/reference.yaml are what the table of keys says.
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hangu/config/load.h"
#include "hangu/config/reference.h"

#include "tests/unit/config/golden.h"

namespace hangu::config {
namespace {

TEST(Generated, ReferenceIsUpToDate) {
  test::expect_golden(test::source_root() / "docs" / "config.md", config_markdown());
}

TEST(Generated, ReferenceYamlIsUpToDateAndLoads) {
  test::expect_golden(test::source_root() / "config" / "reference.yaml", reference_yaml());
  const LoadResult loaded = load_text(reference_yaml(), "reference.yaml");
  EXPECT_EQ(format_diagnostics(loaded.diagnostics, false), "");
  EXPECT_TRUE(loaded.config.has_value());
}

TEST(Generated, EveryKeyIsExplained) {
  std::set<std::string> paths;
  for (const KeyInfo& key : config_keys()) {
    EXPECT_TRUE(paths.insert(key.path).second) << key.path;
    EXPECT_FALSE(key.documentation.empty()) << key.path;
    EXPECT_FALSE(key.type.empty()) << key.path;
    EXPECT_FALSE(key.example.empty()) << key.path;
    EXPECT_FALSE(key.since.empty()) << key.path;
    EXPECT_TRUE(!key.required || key.default_text.empty()) << key.path;
  }
  EXPECT_GT(paths.size(), 50U);
}

TEST(Generated, EveryExampleFileLoads) {
  size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(test::source_root() / "config")) {
    const LoadResult loaded = load_file(entry.path().string());
    EXPECT_EQ(format_diagnostics(loaded.diagnostics, false), "") << entry.path();
    ++files;
  }
  EXPECT_GE(files, 3U);
}

}  // namespace
}  // namespace hangu::config
