// Texts that a regular expression matches, made from the expression: enough to see that two
// expressions overlap, never to see that they do not. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hangu::config {

inline constexpr size_t kRegexSamplesMax = 16;

/// Up to kRegexSamplesMax: one for each alternative, and with what may be left out and without it.
/// A guess: match them before use. None where the expression has more in it than alternatives,
/// groups, classes and repetitions: flags, word borders, Unicode.
std::vector<std::string> regex_samples(std::string_view expression);

}  // namespace hangu::config
