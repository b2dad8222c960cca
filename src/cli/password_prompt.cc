#include "cli/password_prompt.h"

#include <termios.h>
#include <unistd.h>

#include <iostream>

namespace hangu::cli {
namespace {

/// As long as it lives, a terminal does not show what is typed.
class Hidden {
 public:
  Hidden() {
    terminal_ = ::tcgetattr(STDIN_FILENO, &before_) == 0;
    if (terminal_) {
      termios silent = before_;
      silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
      ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    }
  }

  ~Hidden() {
    if (terminal_) {
      ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
    }
  }

  Hidden(const Hidden&) = delete;
  Hidden& operator=(const Hidden&) = delete;

  bool terminal() const { return terminal_; }

 private:
  termios before_{};
  bool terminal_ = false;
};

}  // namespace

std::string read_password(const Environment& environment) {
  const Hidden hidden;
  if (hidden.terminal()) {
    environment.err << "Password: " << std::flush;
  }
  std::string password;
  std::getline(std::cin, password);
  if (hidden.terminal()) {
    environment.err << '\n';
  }
  return password;
}

}  // namespace hangu::cli
