// What the verbs print alike: errors, hints, colours.
#pragma once

#include <ostream>
#include <string>
#include <string_view>

#include "hangu/cli/cli.h"

namespace hangu::cli {

/// ANSI colours, or nothing.
struct Palette {
  explicit Palette(bool color)
      : bold(color ? "\033[1m" : ""),
        red(color ? "\033[1;31m" : ""),
        green(color ? "\033[32m" : ""),
        yellow(color ? "\033[33m" : ""),
        dim(color ? "\033[2m" : ""),
        off(color ? "\033[0m" : "") {}

  std::string_view bold, red, green, yellow, dim, off;
};

/// "hangu: error: message", and a hint on a line of its own.
inline void print_error(const Environment& environment, std::string_view message,
                        std::string_view hint = {}) {
  const Palette palette(environment.color_err);
  environment.err << "hangu: " << palette.red << "error: " << palette.off << message << '\n';
  if (!hint.empty()) {
    environment.err << "  " << hint << '\n';
  }
}

inline void print_warning(const Environment& environment, std::string_view message) {
  const Palette palette(environment.color_err);
  environment.err << "hangu: " << palette.yellow << "warning: " << palette.off << message << '\n';
}

}  // namespace hangu::cli
