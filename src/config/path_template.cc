#include "hangu/config/path_template.h"

#include <algorithm>

#include <fmt/format.h>

#include "hangu/base/pattern.h"

#include "config/text.h"

namespace hangu::config {
namespace {

bool is_capture_name(std::string_view name) {
  constexpr size_t kBytesMax = 64;
  return !name.empty() && name.size() <= kBytesMax &&
         std::all_of(name.begin(), name.end(), [](char c) { return is_alnum(c) || c == '_'; });
}

Failure<std::string> bad_name(std::string_view name) {
  return {fmt::format("{} is no name for a capture: letters, digits and _", quoted(name))};
}

Result<PathTemplate::Segment, std::string> parse_segment(std::string_view text, bool is_last) {
  using Kind = PathTemplate::Kind;
  if (text.find_first_of("{}*") == std::string_view::npos) {
    return PathTemplate::Segment{Kind::kLiteral, std::string(text)};
  }
  if (text.size() < 2 || text.front() != '{' || text.find('}') != text.size() - 1) {
    return Failure<std::string>{
        fmt::format("the segment {} is neither text nor one capture", quoted(text))};
  }
  std::string_view name = text.substr(1, text.size() - 2);
  const bool is_rest = name.ends_with('*');
  if (is_rest && !is_last) {
    return Failure<std::string>{fmt::format("{} stands at the end or nowhere", text)};
  }
  name.remove_suffix(is_rest ? 1 : 0);
  if (!is_capture_name(name)) {
    return bad_name(name);
  }
  return PathTemplate::Segment{is_rest ? Kind::kRest : Kind::kCapture, std::string(name)};
}

}  // namespace

Result<PathTemplate, std::string> PathTemplate::parse(std::string_view text) {
  if (!text.starts_with('/')) {
    return Failure<std::string>{"it does not begin with `/`"};
  }
  PathTemplate out;
  std::vector<std::string_view> names;
  for (size_t begin = 1; begin <= text.size();) {
    const size_t end = std::min(text.find('/', begin), text.size());
    auto segment = parse_segment(text.substr(begin, end - begin), end == text.size());
    if (!segment) {
      return Failure<std::string>{segment.error()};
    }
    out.segments.push_back(std::move(*segment));
    begin = end + 1;
  }
  if (out.segments.size() > kSegmentsMax) {
    return Failure<std::string>{fmt::format("it has more than {} segments", kSegmentsMax)};
  }
  for (const Segment& segment : out.segments) {
    if (segment.kind == Kind::kLiteral) {
      continue;
    }
    if (std::find(names.begin(), names.end(), segment.text) != names.end()) {
      return Failure<std::string>{fmt::format("two captures are named {}", quoted(segment.text))};
    }
    names.push_back(segment.text);
  }
  return out;
}

Result<PathText, std::string> PathText::parse(std::string_view text) {
  PathText out;
  for (size_t at = 0; at < text.size();) {
    const size_t open = std::min(text.find('{', at), text.size());
    if (open > at) {
      out.pieces.push_back({false, std::string(text.substr(at, open - at))});
    }
    if (open == text.size()) {
      break;
    }
    const size_t close = text.find('}', open);
    if (close == std::string_view::npos) {
      return Failure<std::string>{"a `{` without its `}`"};
    }
    const std::string_view name = text.substr(open + 1, close - open - 1);
    if (!is_capture_name(name)) {
      return bad_name(name);
    }
    out.pieces.push_back({true, std::string(name)});
    at = close + 1;
  }
  return out;
}

bool PathText::has_captures() const {
  return std::any_of(pieces.begin(), pieces.end(),
                     [](const Piece& piece) { return piece.is_capture; });
}

std::vector<std::string> capture_names(const RouteMatch& match) {
  std::vector<std::string> names;
  if (!match.path_template.empty()) {
    const auto parsed = PathTemplate::parse(match.path_template);
    for (size_t i = 0; parsed && i < parsed->segments.size(); ++i) {
      if (parsed->segments[i].kind != PathTemplate::Kind::kLiteral) {
        names.push_back(parsed->segments[i].text);
      }
    }
  } else if (!match.path_regex.empty()) {
    const auto pattern = Pattern::compile(match.path_regex);
    for (size_t i = 0; pattern && i < pattern->groups().size(); ++i) {
      const std::string& name = pattern->groups()[i];
      names.push_back(name.empty() ? std::to_string(i + 1) : name);
    }
  }
  return names;
}

}  // namespace hangu::config
