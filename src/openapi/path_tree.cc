#include "openapi/path_tree.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace hangu::openapi {

Result<uint32_t, std::string> PathTree::step(uint32_t node, std::string_view segment,
                                             std::vector<std::string>& names) {
  const auto next = static_cast<uint32_t>(nodes_.size());
  const size_t open = segment.find('{');
  if (open == std::string_view::npos) {
    const auto [known, added] = nodes_[node].literals.emplace(std::string(segment), next);
    const uint32_t found = known->second;
    if (added) {
      nodes_.emplace_back();
    }
    return found;
  }
  const size_t close = segment.find('}', open);
  if (close == std::string_view::npos || close == open + 1 ||
      segment.find('{', open + 1) != std::string_view::npos) {
    return Failure<std::string>{
        fmt::format("`{}`: a segment has one variable at most, in braces", segment)};
  }
  if (names.size() == Document::kCapturesMax) {
    return Failure<std::string>{fmt::format("more than {} variables", Document::kCapturesMax)};
  }
  names.emplace_back(segment.substr(open + 1, close - open - 1));
  const std::string_view prefix = segment.substr(0, open);
  const std::string_view suffix = segment.substr(close + 1);
  for (const Variable& variable : nodes_[node].variables) {
    if (variable.prefix == prefix && variable.suffix == suffix) {
      return variable.node;
    }
  }
  nodes_.emplace_back();
  std::vector<Variable>& variables = nodes_[node].variables;
  variables.push_back({.prefix = std::string(prefix), .suffix = std::string(suffix), .node = next});
  std::stable_sort(variables.begin(), variables.end(), [](const Variable& a, const Variable& b) {
    return a.prefix.size() + a.suffix.size() > b.prefix.size() + b.suffix.size();
  });
  return next;
}

Result<void, std::string> PathTree::add(std::string_view path, uint32_t item,
                                        std::vector<std::string>& names) {
  if (!path.starts_with('/')) {
    return Failure<std::string>{std::string("a path begins with `/`")};
  }
  uint32_t node = 0;
  while (!path.empty()) {
    path.remove_prefix(1);
    const size_t end = std::min(path.find('/'), path.size());
    const Result<uint32_t, std::string> next = step(node, path.substr(0, end), names);
    if (!next) {
      return Failure<std::string>{next.error()};
    }
    node = *next;
    path.remove_prefix(end);
  }
  if (nodes_[node].item != kNone) {
    return Failure<std::string>{std::string("another path is the same but for its names")};
  }
  nodes_[node].item = item;
  return {};
}

uint32_t PathTree::find(std::string_view path, Captures& captures) const noexcept {
  return find_from(0, path, captures, 0);
}

uint32_t PathTree::find_from(uint32_t node, std::string_view rest, Captures& captures,
                             size_t captured) const noexcept {
  const Node& here = nodes_[node];
  if (rest.empty()) {
    return here.item;
  }
  rest.remove_prefix(1);
  const size_t end = std::min(rest.find('/'), rest.size());
  const std::string_view segment = rest.substr(0, end);
  rest.remove_prefix(end);
  if (const auto literal = here.literals.find(segment); literal != here.literals.end()) {
    const uint32_t found = find_from(literal->second, rest, captures, captured);
    if (found != kNone) {
      return found;
    }
  }
  for (const Variable& variable : here.variables) {
    const size_t text = variable.prefix.size() + variable.suffix.size();
    if (segment.size() <= text || !segment.starts_with(variable.prefix) ||
        !segment.ends_with(variable.suffix)) {
      continue;
    }
    const uint32_t found = find_from(variable.node, rest, captures, captured + 1);
    if (found != kNone) {
      captures[captured] = segment.substr(variable.prefix.size(), segment.size() - text);
      return found;
    }
  }
  return kNone;
}

}  // namespace hangu::openapi
