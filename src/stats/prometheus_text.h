// PrometheusText: metrics in the text format of Prometheus, put together family by family.
#pragma once

#include <cstdint>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "hangu/stats/histogram.h"

namespace hangu::stats {

std::string escape_label(std::string_view text);

class PrometheusText {
 public:
  void family(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    fmt::format_to(std::back_inserter(text_), "# HELP {} {}\n# TYPE {} {}\n", name, help, name,
                   type);
  }

  /// One sample of the family; `labels` without braces.
  void sample(std::string_view labels, uint64_t value) {
    fmt::format_to(std::back_inserter(text_), "{}{{{}}} {}\n", name_, labels, value);
  }

  void histogram(std::string_view labels, std::span<const Histogram* const> parts);

  std::string take() { return std::move(text_); }

 private:
  std::string text_;
  std::string name_;
};

}  // namespace hangu::stats
