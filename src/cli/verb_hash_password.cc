// `hangu hash-password`: reads a password and prints the hash of it that a config may have.
#include <termios.h>
#include <unistd.h>

#include <iostream>

#include "hangu/identity/password_hash.h"

#include "cli/terminal.h"
#include "cli/verbs.h"

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

}  // namespace

int hash_password(const Environment& environment) {
  const std::string password = read_password(environment);
  if (password.empty()) {
    print_error(environment, "no password: write one line to standard input");
    return kRuntimeFailure;
  }
  const std::string hash = identity::hash_password(password);
  if (hash.empty()) {
    print_error(environment, "no hash could be made: no memory or no randomness");
    return kRuntimeFailure;
  }
  environment.out << hash << '\n';
  return kOk;
}

}  // namespace hangu::cli
