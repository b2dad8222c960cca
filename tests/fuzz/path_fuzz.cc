// Fuzz target: any bytes as the path of a request target, under every option. What comes out is in
// canonical form, and no reading of it leads out of its folder.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "hangu/base/assert.h"
#include "hangu/base/parse.h"
#include "hangu/http/path.h"
#include "hangu/http/text.h"

#include "tests/fuzz/support.h"

namespace hangu::http {

namespace {

std::string decode(std::string_view path) {
  std::string decoded;
  for (size_t i = 0; i < path.size(); ++i) {
    if (path[i] != '%') {
      decoded += path[i];
      continue;
    }
    HANGU_ASSERT(i + 2 < path.size());
    const int high = hex_digit_value(path[i + 1]);
    const int low = hex_digit_value(path[i + 2]);
    HANGU_ASSERT(high >= 0 && low >= 0);
    HANGU_ASSERT(path[i + 1] == to_lower(path[i + 1]) ? high < 10 : high >= 10);
    HANGU_ASSERT(path[i + 2] == to_lower(path[i + 2]) ? low < 10 : low >= 10);
    decoded += static_cast<char>(high << 4 | low);
    HANGU_ASSERT(!is_alnum(decoded.back()) && decoded.back() != '.' && decoded.back() != '-');
    HANGU_ASSERT(static_cast<unsigned char>(decoded.back()) >= 0x20 && decoded.back() != 0x7f);
    i += 2;
  }
  return decoded;
}

/// No segment is "." or "..", not even for servers that decode first, take the backslash for a
/// slash and drop parameters.
void check_segments(std::string_view path) {
  while (!path.empty()) {
    const size_t end = path.find_first_of("/\\");
    const std::string_view segment = path.substr(0, end);
    const std::string_view name = segment.substr(0, segment.find(';'));
    HANGU_ASSERT(name != "." && name != "..");
    path = end == std::string_view::npos ? std::string_view{} : path.substr(end + 1);
  }
}

void check_canonical(std::string_view path, const PathOptions& options) {
  HANGU_ASSERT(!path.empty() && path.front() == '/');
  for (const char c : path) {
    HANGU_ASSERT(static_cast<unsigned char>(c) > 0x20 && static_cast<unsigned char>(c) < 0x7f);
    HANGU_ASSERT(c != '?' && c != '#' && c != '\\');
  }
  HANGU_ASSERT(!options.merge_slashes || path.find("//") == std::string_view::npos);
  const std::string decoded = decode(path);
  check_segments(path);
  check_segments(decoded);
  if (options.encoded_slash == EncodedSlash::kReject) {
    HANGU_ASSERT(path.find("%2F") == std::string_view::npos);
    HANGU_ASSERT(path.find("%5C") == std::string_view::npos);
  }
}

std::optional<std::string> normalise(std::string_view path, const PathOptions& options) {
  fuzz::Memory memory;
  const fuzz::Piece piece(path);
  const auto result = normalise_path(piece.view(), memory.arena(), options);
  if (!result) {
    HANGU_ASSERT(result.error().code == Errc::kBadPath);
    HANGU_ASSERT(result.error().side == Side::kDownstream);
    return std::nullopt;
  }
  if (path == "*") {
    HANGU_ASSERT(*result == "*");
    return "*";
  }
  check_canonical(*result, options);
  const auto again = normalise_path(*result, memory.arena(), options);
  HANGU_ASSERT(again.has_value());
  HANGU_ASSERT(*again == *result);
  bool rare = false;
  for (const std::string_view escape : {"%2F", "%5C", ".%"}) {
    rare = rare || result->find(escape) != std::string_view::npos;
  }
  HANGU_ASSERT(rare || again->data() == result->data());
  return std::string(*result);
}

}  // namespace

void check_one(std::string_view path) {
  for (const bool merge : {false, true}) {
    const auto strict = normalise(path, {merge, EncodedSlash::kReject});
    const auto kept = normalise(path, {merge, EncodedSlash::kKeep});
    HANGU_ASSERT(!strict || kept == strict);
  }
}

}  // namespace hangu::http

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  hangu::http::check_one(std::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
