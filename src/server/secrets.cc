#include "server/secrets.h"

#include <array>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "hangu/base/hex.h"
#include "hangu/base/parse.h"

namespace hangu::server {
namespace {

std::string to_text(const tls::TicketKey& key) {
  return to_hex(key.name) + to_hex(key.cipher_key) + to_hex(key.mac_key);
}

std::optional<tls::TicketKey> key_from(std::string_view text) {
  tls::TicketKey key;
  const size_t name = key.name.size() * 2;
  const size_t cipher = key.cipher_key.size() * 2;
  const bool good = text.size() == name + cipher + key.mac_key.size() * 2 &&
                    read_hex(text.substr(0, name), key.name) &&
                    read_hex(text.substr(name, cipher), key.cipher_key) &&
                    read_hex(text.substr(name + cipher), key.mac_key);
  return good ? std::optional(key) : std::nullopt;
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (!line.empty()) {
    const size_t end = std::min(line.find(' '), line.size());
    words.push_back(line.substr(0, end));
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return words;
}

}  // namespace

std::string encode(const Secrets& secrets) {
  std::string text = secrets.sticky.empty() ? "" : fmt::format("sticky {}\n", secrets.sticky);
  text += secrets.session.empty() ? "" : fmt::format("session {}\n", secrets.session);
  for (const auto& [listener, state] : secrets.ticket_keys) {
    text += fmt::format("ticket {} {} {}", listener, state.since, to_text(state.keys.current));
    for (const tls::TicketKey& other : state.keys.others) {
      text += ' ' + to_text(other);
    }
    text += '\n';
  }
  return text;
}

Secrets decode_secrets(std::string_view text) {
  Secrets secrets;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::vector<std::string_view> words = words_of(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (words.size() == 2 && words[0] == "sticky") {
      secrets.sticky = words[1];
    }
    if (words.size() == 2 && words[0] == "session") {
      secrets.session = words[1];
    }
    if (words.size() < 4 || words[0] != "ticket") {
      continue;
    }
    const auto since = parse_decimal(words[2], INT64_MAX);
    const auto current = key_from(words[3]);
    if (since && current) {
      TicketKeyState& state = secrets.ticket_keys[std::string(words[1])];
      state.keys.current = *current;
      state.since = static_cast<std::time_t>(*since);
      for (size_t i = 4; i < words.size(); ++i) {
        if (const auto other = key_from(words[i])) {
          state.keys.others.push_back(*other);
        }
      }
    }
  }
  return secrets;
}

}  // namespace hangu::server
