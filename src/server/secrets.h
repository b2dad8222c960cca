// Secrets that a process makes for itself and that its successor needs, so that clients notice
// nothing: keys of session tickets, the keys of sticky cookies and of login sessions. As text, for
// a socket between two processes of one user; never for a file or a log. Pure.
#pragma once

#include <string>
#include <string_view>

#include "hangu/server/tls_contexts.h"

namespace hangu::server {

struct Secrets {
  std::string sticky;
  std::string session;
  TicketKeyMap ticket_keys;
};

std::string encode(const Secrets& secrets);
/// What cannot be read is left out.
Secrets decode_secrets(std::string_view text);

}  // namespace hangu::server
