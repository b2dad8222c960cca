#include "cli/progress.h"

#include <algorithm>
#include <ostream>
#include <string>

#include <fmt/format.h>

namespace hangu::cli {
namespace {

constexpr auto kPatience = std::chrono::milliseconds(300);  // short work shows none
constexpr auto kInterval = std::chrono::milliseconds(100);
constexpr size_t kBarCells = 30;

}  // namespace

Progress::~Progress() {
  if (shown_ != std::chrono::steady_clock::time_point{}) {
    environment_.err << "\r\033[K" << std::flush;
  }
}

void Progress::show(uint64_t done, uint64_t all) {
  const auto now = std::chrono::steady_clock::now();
  if (!environment_.err_is_terminal || all == 0 || now - started_ < kPatience ||
      now - shown_ < kInterval) {
    return;
  }
  shown_ = now;
  const double part = std::min(1.0, static_cast<double>(done) / static_cast<double>(all));
  const double seconds = std::chrono::duration<double>(now - started_).count();
  const auto cells = static_cast<size_t>(part * kBarCells);
  environment_.err << fmt::format("\r[{}{}] {:3.0f} %  {:.0f} MB/s  {:.0f} s left \033[K",
                                  std::string(cells, '#'), std::string(kBarCells - cells, ' '),
                                  part * 100, static_cast<double>(done) / seconds / 1e6,
                                  seconds / std::max(part, 0.001) - seconds)
                   << std::flush;
}

}  // namespace hangu::cli
