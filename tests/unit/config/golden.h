// Files that a test compares with what the code makes now, and rewrites under HANGU_UPDATE_GOLDEN=1
// (`make docs`): then read the diff.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

namespace hangu::test {

/// The top of the source tree.
inline std::filesystem::path source_root() {
  return HANGU_SOURCE_DIR;
}

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

inline void expect_golden(const std::filesystem::path& path, const std::string& text) {
  if (std::getenv("HANGU_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path, std::ios::binary) << text;
  }
  EXPECT_EQ(read_file(path), text) << path << ": see `make docs`";
}

}  // namespace hangu::test
