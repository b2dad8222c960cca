// A progress bar on standard error, where that is a terminal.
#pragma once

#include <chrono>
#include <cstdint>

#include "hangu/cli/cli.h"

namespace hangu::cli {

class Progress {
 public:
  explicit Progress(const Environment& environment)
      : environment_(environment) {}

  /// Takes the bar away.
  ~Progress();

  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void show(uint64_t done, uint64_t all);

 private:
  const Environment& environment_;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point shown_{};
};

}  // namespace hangu::cli
