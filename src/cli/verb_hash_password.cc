// `hangu hash-password`: reads a password and prints the hash of it that a config may have.
#include "hangu/identity/password_hash.h"

#include "cli/password_prompt.h"
#include "cli/terminal.h"
#include "cli/verbs.h"

namespace hangu::cli {

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
