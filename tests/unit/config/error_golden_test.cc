// What an operator reads about a wrong file, word for word: tests/golden/config/<name>.yaml and
// .expected.
#include <gtest/gtest.h>

#include "hangu/config/load.h"

#include "tests/unit/config/golden.h"

namespace hangu::config {
namespace {

std::vector<std::string> golden_names() {
  std::vector<std::string> names;
  const auto folder = test::source_root() / "tests" / "golden" / "config";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".yaml") {
      names.push_back(entry.path().stem().string());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

LoadOptions options() {
  return {.environment = [](std::string_view name) -> std::optional<std::string> {
            return name == "SET" ? std::optional<std::string>("value") : std::nullopt;
          },
          .read_file = [](const std::string&) -> Result<std::string, std::string> {
            return Failure<std::string>{"No such file or directory"};
          },
          .host_name = "test"};
}

class ErrorGolden : public testing::TestWithParam<std::string> {};

TEST_P(ErrorGolden, ReadsAsExpected) {
  const auto folder = test::source_root() / "tests" / "golden" / "config";
  const std::string text = test::read_file(folder / (GetParam() + ".yaml"));
  const LoadResult loaded = load_text(text, GetParam() + ".yaml", options());
  EXPECT_FALSE(loaded.diagnostics.empty());
  test::expect_golden(folder / (GetParam() + ".expected"),
                      format_diagnostics(loaded.diagnostics, false));
}

INSTANTIATE_TEST_SUITE_P(Files, ErrorGolden, testing::ValuesIn(golden_names()),
                         [](const auto& instance) { return instance.param; });

}  // namespace
}  // namespace hangu::config
