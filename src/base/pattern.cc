#include "hangu/base/pattern.h"

#include <re2/re2.h>

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace hangu {
namespace {

constexpr int kBoundBytes = 32;  // of the first and last text that can match

re2::StringPiece piece(std::string_view text) {
  return {text.data(), text.size()};
}

bool match(const re2::RE2& expression, std::string_view text, re2::RE2::Anchor anchor,
           std::span<std::string_view> parts) noexcept {
  std::array<re2::StringPiece, Pattern::kGroupsMax + 1> found;
  const size_t wanted = std::min(parts.size(), found.size());
  if (!expression.Match(piece(text), 0, text.size(), anchor, found.data(),
                        static_cast<int>(wanted))) {
    return false;
  }
  for (size_t i = 0; i < wanted; ++i) {
    parts[i] = {found[i].data(), found[i].size()};
  }
  return true;
}

}  // namespace

Pattern::Pattern(std::unique_ptr<const re2::RE2> expression)
    : expression_(std::move(expression)) {
  groups_.resize(static_cast<size_t>(expression_->NumberOfCapturingGroups()));
  for (const auto& [number, name] : expression_->CapturingGroupNames()) {
    groups_[static_cast<size_t>(number) - 1] = name;
  }
  bounded_ = expression_->PossibleMatchRange(&least_, &most_, kBoundBytes);
}

Pattern::Pattern(Pattern&&) noexcept = default;
Pattern& Pattern::operator=(Pattern&&) noexcept = default;
Pattern::~Pattern() = default;

Result<Pattern, std::string> Pattern::compile(std::string_view expression) {
  if (expression.size() > kExpressionBytesMax) {
    return Failure<std::string>{fmt::format("it is longer than {} bytes", kExpressionBytesMax)};
  }
  re2::RE2::Options options(re2::RE2::Latin1);  // bytes: paths need not be UTF-8
  options.set_log_errors(false);
  options.set_max_mem(kProgramBytesMax);
  auto compiled = std::make_unique<const re2::RE2>(piece(expression), options);
  if (!compiled->ok()) {
    const bool too_large = compiled->error_code() == re2::RE2::ErrorPatternTooLarge;
    return Failure<std::string>{too_large ? "it is too large once compiled" : compiled->error()};
  }
  if (compiled->NumberOfCapturingGroups() > static_cast<int>(kGroupsMax)) {
    return Failure<std::string>{fmt::format(
        "it has more than {} groups: write (?:...) for those that are not used", kGroupsMax)};
  }
  return Pattern(std::move(compiled));
}

std::string_view Pattern::text() const {
  return expression_->pattern();
}

bool Pattern::matches(std::string_view text) const noexcept {
  return may_match(text) && match(*expression_, text, re2::RE2::ANCHOR_BOTH, {});
}

bool Pattern::matches(std::string_view text, std::span<std::string_view> groups) const noexcept {
  std::array<std::string_view, kGroupsMax + 1> parts;
  const size_t wanted = std::min(groups.size(), groups_.size());
  if (!may_match(text) ||
      !match(*expression_, text, re2::RE2::ANCHOR_BOTH, std::span(parts).first(wanted + 1))) {
    return false;
  }
  std::copy_n(parts.begin() + 1, wanted, groups.begin());
  return true;
}

bool Pattern::find(std::string_view text, std::span<std::string_view> parts) const noexcept {
  return match(*expression_, text, re2::RE2::UNANCHORED, parts);
}

}  // namespace hangu
