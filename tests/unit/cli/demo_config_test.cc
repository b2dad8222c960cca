// The config that `hangu demo` has built in is the file that people read.
#include "cli/demo_config.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

namespace hangu::cli {
namespace {

TEST(DemoConfig, IsTheFile) {
  const std::filesystem::path root(HANGU_SOURCE_DIR);
  std::ifstream file(root / "config" / "demo.yaml");
  std::ostringstream text;
  text << file.rdbuf();
  EXPECT_EQ(text.str(), kDemoConfig);
}

}  // namespace
}  // namespace hangu::cli
