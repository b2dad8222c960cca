#include "hangu/policy/path_matcher.h"

#include <algorithm>

#include "hangu/base/assert.h"

namespace hangu::policy {
namespace {

using config::PathTemplate;
using Segment = PathTemplate::Segment;
using SegmentKind = PathTemplate::Kind;

/// Takes the first segment off `rest`, which begins with '/'.
std::string_view take_segment(std::string_view& rest) {
  const size_t end = std::min(rest.find('/', 1), rest.size());
  const std::string_view segment = rest.substr(1, end - 1);
  rest.remove_prefix(end);
  return segment;
}

std::string_view without_trailing_slash(std::string_view prefix) {
  return prefix.ends_with('/') ? prefix.substr(0, prefix.size() - 1) : prefix;
}

}  // namespace

PathMatcher::PathMatcher(const config::RouteMatch& match)
    : captures_(config::capture_names(match)) {
  std::string_view text;
  if (!match.path_exact.empty()) {
    kind_ = PathKind::kExact;
    text = match.path_exact;
  } else if (!match.path_template.empty()) {
    kind_ = PathKind::kTemplate;
    text = match.path_template;
    auto parsed = PathTemplate::parse(text);
    HANGU_ASSERT(parsed.has_value());
    segments_ = std::make_unique<const std::vector<Segment>>(std::move(parsed->segments));
  } else if (!match.path_regex.empty()) {
    kind_ = PathKind::kRegex;
    text = match.path_regex;
    auto compiled = Pattern::compile(text);
    HANGU_ASSERT(compiled.has_value());
    pattern_ = std::make_unique<const Pattern>(std::move(*compiled));
  } else {
    text = without_trailing_slash(match.path_prefix);
    kind_ = text.empty() ? PathKind::kAny : PathKind::kPrefix;
  }
  text_ = TextOfPath(text);
}

bool PathMatcher::takes_template(std::string_view path) const noexcept {
  for (const Segment& wanted : *segments_) {
    if (path.empty() || path.front() != '/') {
      return false;
    }
    if (wanted.kind == SegmentKind::kRest) {
      return path.size() > 1;
    }
    const std::string_view segment = take_segment(path);
    const bool fits =
        wanted.kind == SegmentKind::kLiteral ? segment == wanted.text : !segment.empty();
    if (!fits) {
      return false;
    }
  }
  return path.empty();
}

bool PathMatcher::takes(std::string_view path) const noexcept {
  switch (kind_) {
    case PathKind::kExact: return path == text();
    case PathKind::kTemplate: return takes_template(path);
    case PathKind::kPrefix:
      return path.starts_with(text()) &&
             (path.size() == text().size() || path[text().size()] == '/');
    case PathKind::kRegex: return pattern_->matches(path);
    case PathKind::kAny: return true;
  }
  return false;
}

void PathMatcher::capture(std::string_view path,
                          std::span<std::string_view> values) const noexcept {
  if (kind_ == PathKind::kRegex) {
    pattern_->matches(path, values);
    return;
  }
  size_t next = 0;
  for (size_t i = 0; segments_ != nullptr && i < segments_->size() && next < values.size(); ++i) {
    const SegmentKind kind = (*segments_)[i].kind;
    if (kind == SegmentKind::kRest) {
      values[next++] = path.substr(1);
      return;
    }
    const std::string_view segment = take_segment(path);
    if (kind == SegmentKind::kCapture) {
      values[next++] = segment;
    }
  }
}

PathMaker::PathMaker(std::string_view text, std::span<const std::string> names) {
  const auto parsed = config::PathText::parse(text);
  HANGU_ASSERT(parsed.has_value());
  for (const config::PathText::Piece& piece : parsed->pieces) {
    if (!piece.is_capture) {
      pieces_.push_back({.literal = piece.text});
      continue;
    }
    const auto found = std::find(names.begin(), names.end(), piece.text);
    HANGU_ASSERT(found != names.end());
    pieces_.push_back({.literal = {}, .capture = static_cast<size_t>(found - names.begin())});
    has_captures_ = true;
  }
}

size_t PathMaker::size(std::span<const std::string_view> values) const noexcept {
  size_t size = 0;
  for (const Piece& piece : pieces_) {
    size += text_of(piece, values).size();
  }
  return size;
}

char* PathMaker::write(std::span<const std::string_view> values, char* to) const noexcept {
  for (const Piece& piece : pieces_) {
    const std::string_view text = text_of(piece, values);
    to = std::copy(text.begin(), text.end(), to);
  }
  return to;
}

}  // namespace hangu::policy
