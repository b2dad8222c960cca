// PathTemplate: a path with captures, as routes match it: "/users/{id}/orders/{order}". A capture
// takes one whole segment that is not empty; `{name*}` at the end takes what is left, one segment
// or more. PathText: a path to be made of captures, as redirects and rewrites have it. Pure; made
// by the loader to check, and off the shards to compile.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hangu/base/result.h"
#include "hangu/config/config.h"

namespace hangu::config {

struct PathTemplate {
  enum class Kind : uint8_t { kLiteral, kCapture, kRest };

  struct Segment {
    Kind kind = Kind::kLiteral;
    std::string text;  // the literal, or the name of the capture
  };

  static constexpr size_t kSegmentsMax = 32;

  /// The error is in words.
  static Result<PathTemplate, std::string> parse(std::string_view text);

  bool has_rest() const { return !segments.empty() && segments.back().kind == Kind::kRest; }

  std::vector<Segment> segments;  // not empty
};

struct PathText {
  struct Piece {
    bool is_capture = false;
    std::string text;  // or the name of the capture
  };

  static Result<PathText, std::string> parse(std::string_view text);

  bool has_captures() const;

  std::vector<Piece> pieces;
};

/// What a route's path captures, in order: the names in its template, or the groups of its regular
/// expression; of a group without a name its number.
std::vector<std::string> capture_names(const RouteMatch& match);

}  // namespace hangu::config
