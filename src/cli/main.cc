// The `hangu` executable: what it does is in cli/ and the layers below.
#include <unistd.h>

#include <cstdlib>
#include <iostream>

#include "hangu/cli/cli.h"
#include "hangu/server/gateway.h"

namespace {

bool wants_color(int fd) {
  const char* no_color = std::getenv("NO_COLOR");  // https://no-color.org
  const char* terminal = std::getenv("TERM");
  const bool plain = (no_color != nullptr && *no_color != '\0') ||
                     (terminal != nullptr && std::string_view(terminal) == "dumb");
  return !plain && ::isatty(fd) == 1;
}

}  // namespace

int main(int argc, char** argv) {
  return hangu::cli::run(argc, argv,
                         {.start_gateway = hangu::server::Gateway::start,
                          .out = std::cout,
                          .err = std::cerr,
                          .color_out = wants_color(STDOUT_FILENO),
                          .color_err = wants_color(STDERR_FILENO),
                          .err_is_terminal = ::isatty(STDERR_FILENO) == 1});
}
