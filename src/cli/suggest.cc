#include "cli/suggest.h"

#include <algorithm>
#include <numeric>

namespace hangu::cli {
namespace {

/// Levenshtein's distance, with two rows.
size_t distance(std::string_view left, std::string_view right) {
  std::vector<size_t> row(right.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < left.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < right.size(); ++j) {
      const size_t substituted = diagonal + (left[i] == right[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({substituted, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string nearest(std::string_view word, const std::vector<std::string>& known) {
  std::string best;
  size_t least = std::max<size_t>(1, word.size() / 3) + 1;
  for (const std::string& each : known) {
    const size_t changes = each.starts_with(word) && word.size() >= 3 ? 1 : distance(word, each);
    if (changes < least) {
      least = changes;
      best = each;
    }
  }
  return best;
}

}  // namespace hangu::cli
