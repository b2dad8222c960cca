#include "control/handover_message.h"

#include <algorithm>
#include <array>

namespace hangu::control {
namespace {

constexpr std::string_view kHead = "hangu-upgrade 1";

constexpr std::array<std::string_view, 9> kKinds = {"hello", "sockets", "bequest", "ready", "go",
                                                    "done",  "main",    "reopen",  "failed"};

std::string_view take_line(std::string_view& bytes) {
  const size_t end = std::min(bytes.find('\n'), bytes.size());
  const std::string_view line = bytes.substr(0, end);
  bytes.remove_prefix(std::min(end + 1, bytes.size()));
  return line;
}

}  // namespace

std::string encode(const HandoverMessage& message) {
  std::string bytes(kHead);
  bytes += '\n';
  bytes += kKinds[static_cast<size_t>(message.kind)];
  bytes += '\n';
  for (const auto& [name, value] : message.facts) {
    bytes += name;
    bytes += '=';
    // A line feed would begin another fact.
    std::replace_copy(value.begin(), value.end(), std::back_inserter(bytes), '\n', ' ');
    bytes += '\n';
  }
  bytes += '\n';
  bytes += message.text;
  return bytes;
}

std::optional<HandoverMessage> decode_handover(std::string_view bytes) {
  if (take_line(bytes) != kHead) {
    return std::nullopt;
  }
  const auto* const kind = std::find(kKinds.begin(), kKinds.end(), take_line(bytes));
  if (kind == kKinds.end()) {
    return std::nullopt;
  }
  HandoverMessage message;
  message.kind = static_cast<HandoverMessage::Kind>(kind - kKinds.begin());
  while (!bytes.empty()) {
    const std::string_view line = take_line(bytes);
    if (line.empty()) {
      break;
    }
    const size_t equals = line.find('=');
    if (equals == std::string_view::npos) {
      return std::nullopt;
    }
    message.facts[std::string(line.substr(0, equals))] = line.substr(equals + 1);
  }
  message.text = bytes;
  return message;
}

}  // namespace hangu::control
