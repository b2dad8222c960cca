// PathMatcher: whether a route takes a path, and what its captures are. PathMaker: a path made of
// captures. Both compiled from the config off the shards, immutable, any thread; nothing allocates
// per request, but for RE2's automaton where the config has regular expressions.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hangu/base/inline_text.h"
#include "hangu/base/pattern.h"
#include "hangu/config/config.h"
#include "hangu/config/path_template.h"

namespace hangu::policy {

/// In order of precedence.
enum class PathKind : uint8_t { kExact, kTemplate, kPrefix, kRegex, kAny };

class PathMatcher {
 public:
  static constexpr size_t kCapturesMax = config::PathTemplate::kSegmentsMax;

  /// `match` was checked by the loader.
  explicit PathMatcher(const config::RouteMatch& match);

  PathKind kind() const { return kind_; }

  /// Of an exact path: the path; of a prefix: without a slash at its end; else what the config
  /// says.
  std::string_view text() const { return text_.view(); }

  /// Of a template.
  const std::vector<config::PathTemplate::Segment>& segments() const { return *segments_; }

  bool takes(std::string_view path) const noexcept;

  /// Names, in order.
  const std::vector<std::string>& captures() const { return captures_; }

  /// What they are in `path`, which the matcher takes: views of it. As many as captures().
  void capture(std::string_view path, std::span<std::string_view> values) const noexcept;

 private:
  using TextOfPath = InlineText<52>;  // a cache line

  bool takes_template(std::string_view path) const noexcept;

  // In this order and these sizes: see RouteEntry.
  PathKind kind_ = PathKind::kAny;
  std::vector<std::string> captures_;
  std::unique_ptr<const std::vector<config::PathTemplate::Segment>> segments_;
  std::unique_ptr<const Pattern> pattern_;
  TextOfPath text_;
};

/// What the captures of a request are, by name.
struct Captures {
  std::span<const std::string> names;
  std::span<const std::string_view> values;

  std::optional<std::string_view> find(std::string_view name) const noexcept {
    for (size_t i = 0; i < values.size(); ++i) {
      if (names[i] == name) {
        return values[i];
      }
    }
    return std::nullopt;
  }
};

class PathMaker {
 public:
  /// `text` was checked by the loader; `names`: the captures there will be.
  PathMaker(std::string_view text, std::span<const std::string> names);

  /// Whether the path depends on the request.
  bool has_captures() const { return has_captures_; }

  size_t size(std::span<const std::string_view> values) const noexcept;
  /// Writes size() bytes to `to`; returns the end.
  char* write(std::span<const std::string_view> values, char* to) const noexcept;

 private:
  struct Piece {
    std::string literal;
    size_t capture = SIZE_MAX;  // index of the value in place of the literal
  };

  static std::string_view text_of(const Piece& piece,
                                  std::span<const std::string_view> values) noexcept {
    return piece.capture < values.size() ? values[piece.capture] : std::string_view(piece.literal);
  }

  std::vector<Piece> pieces_;
  bool has_captures_ = false;
};

}  // namespace hangu::policy
