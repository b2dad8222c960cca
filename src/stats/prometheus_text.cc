#include "stats/prometheus_text.h"

#include <array>

namespace hangu::stats {
namespace {

// Upper bounds of the exported buckets: powers of two of microseconds, which are borders of the
// internal ones, from 128 µs to 67 s.
constexpr unsigned kFirstBound = 7;
constexpr unsigned kLastBound = 26;

}  // namespace

std::string escape_label(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '\\' || c == '"') {
      escaped += '\\';
      escaped += c;
    } else if (c == '\n') {
      escaped += "\\n";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

void PrometheusText::histogram(std::string_view labels, std::span<const Histogram* const> parts) {
  std::array<uint64_t, Histogram::kBuckets> buckets{};
  uint64_t sum_us = 0;
  uint64_t count = 0;
  for (const Histogram* part : parts) {
    for (size_t i = 0; i < buckets.size(); ++i) {
      buckets[i] += part->bucket(i);
      count += part->bucket(i);
    }
    sum_us += part->sum_us();
  }
  uint64_t below = 0;
  size_t next = 0;
  for (unsigned bound = kFirstBound; bound <= kLastBound; ++bound) {
    const uint64_t us = uint64_t{1} << bound;
    for (; next < Histogram::bucket_of(us); ++next) {
      below += buckets[next];
    }
    fmt::format_to(std::back_inserter(text_), "{}_bucket{{{},le=\"{}\"}} {}\n", name_, labels,
                   static_cast<double>(us) / 1e6, below);
  }
  fmt::format_to(std::back_inserter(text_), "{0}_bucket{{{1},le=\"+Inf\"}} {2}\n", name_, labels,
                 count);
  fmt::format_to(std::back_inserter(text_), "{}_sum{{{}}} {}\n", name_, labels,
                 static_cast<double>(sum_us) / 1e6);
  fmt::format_to(std::back_inserter(text_), "{}_count{{{}}} {}\n", name_, labels, count);
}

}  // namespace hangu::stats
