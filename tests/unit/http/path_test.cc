#include "hangu/http/path.h"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "tests/unit/http/memory.h"

namespace hangu::http {
namespace {

using namespace std::string_view_literals;

constexpr PathOptions kKeepSlash{.encoded_slash = EncodedSlash::kKeep};

/// The canonical path, or "error: why".
std::string normalise(std::string_view path, const PathOptions& options = {}) {
  test::Memory memory;
  const std::string exact(path);
  const auto result = normalise_path(exact, memory.arena(), options);
  if (result) {
    return std::string(*result);
  }
  EXPECT_EQ(result.error().code, Errc::kBadPath);
  EXPECT_EQ(result.error().side, Side::kDownstream);
  return std::string("error: ") + result.error().detail;
}

TEST(PathTest, BringsEveryPathIntoOneForm) {
  const struct {
    std::string_view path;
    std::string_view canonical;
  } cases[] = {
      {"/", "/"},
      {"*", "*"},
      {"/a/b", "/a/b"},
      {"/a/b/", "/a/b/"},
      // RFC 3986 §6.2.2.2: what needs no encoding is decoded.
      {"/%61%5A%30%2d%2E%5f%7e", "/aZ0-._~"},
      // Reserved characters mean something else when they are encoded.
      {"/%21%3f%23%25%3B%40", "/%21%3F%23%25%3B%40"},
      {"/!$&'()*+,;=:@", "/!$&'()*+,;=:@"},
      {"/%e8%8c%b6", "/%E8%8C%B6"},
      {"/\xe8\x8c\xb6", "/%E8%8C%B6"},
      {"/a%20b", "/a%20b"},
      {"/\"<>^`{|}[]", "/%22%3C%3E%5E%60%7B%7C%7D%5B%5D"},
      {"/%252e%252e/a", "/%252e%252e/a"},
      // RFC 3986 §5.2.4.
      {"/.", "/"},
      {"/./", "/"},
      {"/a/.", "/a/"},
      {"/a/..", "/"},
      {"/a/../", "/"},
      {"/a/b/..", "/a/"},
      {"/a/./b/../c", "/a/c"},
      {"/a/b/../../c", "/c"},
      {"/a/%2e%2E/b", "/b"},
      {"/a/.%2e", "/"},
      // These are names.
      {"/...", "/..."},
      {"/.well-known/x", "/.well-known/x"},
      {"/..a/.b./c..", "/..a/.b./c.."},
      {"/a.;x", "/a.;x"},
      {"/.%20x", "/.%20x"},
      // Slashes.
      {"//", "/"},
      {"//a///b//", "/a/b/"},
      {"/a//../b", "/b"},
      {"/a//.", "/a/"},
      {"//.//", "/"},
  };

  for (const auto& [path, canonical] : cases) {
    EXPECT_EQ(normalise(path), canonical) << path;
    EXPECT_EQ(normalise(canonical), canonical) << "again: " << path;
  }
}

TEST(PathTest, RefusesWhatCouldBeReadInTwoWays) {
  const struct {
    std::string_view path;
    std::string_view detail;
  } cases[] = {
      {"", "the path does not begin with a slash"},
      {"a/b", "the path does not begin with a slash"},
      {"%2Fa", "the path does not begin with a slash"},
      {"**", "the path does not begin with a slash"},
      {"/%", "bad %-escape in the path"},
      {"/%4", "bad %-escape in the path"},
      {"/%4/", "bad %-escape in the path"},
      {"/%4g", "bad %-escape in the path"},
      {"/%+1", "bad %-escape in the path"},
      {"/a%00", "escaped control byte in the path"},
      {"/a%0d%0ab", "escaped control byte in the path"},
      {"/%7F", "escaped control byte in the path"},
      {"/\0"sv, "control byte, backslash or '#' in the path"},
      {"/a b", "control byte, backslash or '#' in the path"},
      {"/a\x7f", "control byte, backslash or '#' in the path"},
      {"/a\\b", "control byte, backslash or '#' in the path"},
      {"/a#b", "control byte, backslash or '#' in the path"},
      {"/a?b", "control byte, backslash or '#' in the path"},
      {"/..", "the path leads above its root"},
      {"/../a", "the path leads above its root"},
      {"/a/../..", "the path leads above its root"},
      {"//..", "the path leads above its root"},
      {"/a/%2e%2e/%2e%2e/b", "the path leads above its root"},
      {"/a%2Fb", "escaped slash or backslash in the path"},
      {"/a%5cb", "escaped slash or backslash in the path"},
      {"/a/..;", "dots next to parameters or an escaped slash in the path"},
      {"/a/..;x/b", "dots next to parameters or an escaped slash in the path"},
      {"/a/..;x=.", "dots next to parameters or an escaped slash in the path"},
      {"/a/..;./b", "dots next to parameters or an escaped slash in the path"},
      {"/.;/b", "dots next to parameters or an escaped slash in the path"},
      {"/a/%2e%2e;/b", "dots next to parameters or an escaped slash in the path"},
      {"/a/..%3bx", "dots next to parameters or an escaped slash in the path"},
  };

  for (const auto& [path, detail] : cases) {
    EXPECT_EQ(normalise(path), "error: " + std::string(detail)) << path;
  }
}

TEST(PathTest, KeepsEncodedSlashesOnRequest) {
  const struct {
    std::string_view path;
    std::string_view canonical;
  } cases[] = {
      {"/group%2fproject", "/group%2Fproject"},
      {"/a%5cb/%2F", "/a%5Cb/%2F"},
      {"/a%2Fb/../c", "/c"},
      {"/a%2F.b%2F...", "/a%2F.b%2F..."},
  };

  for (const auto& [path, canonical] : cases) {
    EXPECT_EQ(normalise(path, kKeepSlash), canonical) << path;
    EXPECT_EQ(normalise(canonical, kKeepSlash), canonical) << "again: " << path;
  }
}

TEST(PathTest, RefusesDotsNextToEncodedSlashes) {
  for (const std::string_view path :
       {"/a/..%2Fb", "/a/b%2f..", "/a/b%2F.%2Fc", "/a/..%5cb", "/a%2F..;x", "/a%2F%2e%2e"}) {
    EXPECT_EQ(normalise(path, kKeepSlash),
              "error: dots next to parameters or an escaped slash in the path")
        << path;
  }
}

TEST(PathTest, LeavesEmptySegmentsOnRequest) {
  const PathOptions options{.merge_slashes = false};

  const struct {
    std::string_view path;
    std::string_view canonical;
  } cases[] = {
      {"//", "//"}, {"/a//b//", "/a//b//"}, {"/a//../b", "/a/b"}, {"//..", "/"}, {"/a//.", "/a//"},
  };

  for (const auto& [path, canonical] : cases) {
    EXPECT_EQ(normalise(path, options), canonical) << path;
  }
}

TEST(PathTest, CopiesNoCanonicalPath) {
  for (const std::string_view path :
       {"/", "/api/v1/users/42", "/.well-known/acme/x", "/a/...", "/%E8%8C%B6", "/a;v=1/"}) {
    test::Memory memory;
    const auto result = normalise_path(path, memory.arena());
    ASSERT_TRUE(result.has_value()) << path;
    EXPECT_EQ(result->data(), path.data()) << path;
    EXPECT_FALSE(memory.used()) << path;
  }
}

TEST(PathTest, HoldsThePathThatGrowsMost) {
  const std::string path = "/" + std::string(8000, '\xff');
  const std::string canonical = normalise(path);
  EXPECT_EQ(canonical.size(), 1 + 3 * 8000U);
  EXPECT_EQ(canonical.substr(0, 7), "/%FF%FF");
}

}  // namespace
}  // namespace hangu::http
